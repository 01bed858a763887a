"""What was added after a signature, page by page."""

from pathlib import Path

import pytest

from app.pdf.claims import read_claims
from app.pdf.comparing import PAGES_SHOWN, changes_since
from app.pdf.confined import confined
from app.pdf.foreign import generic, pdf_name
from app.pdf.reading import open_writer
from tests.pdf import makers

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "verify"


def signed_end(pdf: bytes) -> int:
    [claim] = read_claims(pdf)
    assert claim.byte_range is not None
    return claim.byte_range[2] + claim.byte_range[3]


def updated(pdf: bytes, *pages: int, visible: bool = True) -> bytes:
    """With a black box on these pages, or with something nobody sees, in an update of its own."""
    from io import BytesIO

    writer = open_writer(pdf)
    for number in pages:
        content = b"0 g 100 400 200 60 re f" if visible else b"% nothing\n"
        stream = writer.add_object(generic.StreamObject(stream_data=content))
        page = writer.find_page_for_modification(number - 1)[0].get_object()
        page[pdf_name("/Contents")] = generic.ArrayObject([page.raw_get("/Contents"), stream])
        writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_the_page_that_was_changed_is_shown_before_and_after() -> None:
    sealed = makers.sealed(makers.small_pdf(pages=3))
    found = confined(changes_since, updated(sealed, 2), signed_end(sealed))
    assert [page.number for page in found.pages] == [2]
    assert found.pages[0].before != found.pages[0].now and (found.more, found.looked_at) == (0, 3)


def test_the_example_of_an_added_notice() -> None:
    pdf = (EXAMPLES / "added-after.pdf").read_bytes()
    [page] = confined(changes_since, pdf, signed_end(pdf)).pages
    assert page.number == 1 and page.before and page.now


def test_what_nobody_sees_differs_on_no_page() -> None:
    sealed = makers.sealed()
    found = confined(changes_since, updated(sealed, 1, visible=False), signed_end(sealed))
    assert (found.pages, found.more, found.looked_at) == ((), 0, 1)


def test_only_some_are_shown_and_the_others_counted() -> None:
    sealed = makers.sealed(makers.small_pdf(pages=9))
    found = confined(changes_since, updated(sealed, *range(1, 10)), signed_end(sealed))
    assert (len(found.pages), found.more) == (PAGES_SHOWN, 9 - PAGES_SHOWN)


@pytest.mark.parametrize("tail", [b"garbage", b"\0" * 2000])
def test_whatever_follows_nothing_is_raised(tail: bytes) -> None:
    sealed = makers.sealed()
    confined(changes_since, sealed + tail, signed_end(sealed))
