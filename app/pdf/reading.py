"""Open a PDF with pyHanko, and turn whatever goes wrong into a refusal. Pure."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from app.pdf.faults import Broken, NotAPdf
from app.pdf.foreign import IncrementalPdfFileWriter, PdfFileReader
from app.refusal import Refusal

HEADER_WITHIN = 1024
"""Readers accept a header within the first KB; so do we."""

# What a stream may unpack to is bounded by pyHanko's own limits for untrusted input, its default since 0.38.


@contextmanager
def refusing() -> Generator[None]:
    """Any failure of the library inside becomes `Broken`. Foreign bytes make it raise nearly anything, from
    KeyError to RecursionError, so nearly anything is caught: what the block does must touch nothing else."""
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        raise Broken(f"{type(error).__name__}: {error}") from error


def looks_like_pdf(pdf: bytes) -> bool:
    return b"%PDF-" in pdf[:HEADER_WITHIN]


def open_reader(pdf: bytes, *, strict: bool = False) -> Any:
    """Refuses NotAPdf or Broken."""
    if not looks_like_pdf(pdf):
        raise NotAPdf
    with refusing():
        return PdfFileReader(BytesIO(pdf), strict=strict)


def open_writer(pdf: bytes) -> Any:
    """A writer that appends a revision to these bytes, never touching what stands there."""
    if not looks_like_pdf(pdf):
        raise NotAPdf
    with refusing():
        return IncrementalPdfFileWriter(BytesIO(pdf), strict=False)


def value(dictionary: Any, key: str) -> Any:
    """What stands under a key, followed to the object itself; None when nothing does. (pyHanko's own `get`
    gives back references as they stand.)"""
    return dictionary[key] if key in dictionary else None  # noqa: SIM401 - `get` does not follow


def pages_of(reader: Any) -> Iterator[Any]:
    """The page objects in order, walked by ourselves: no /Count is believed, no circle followed, none read before it is
    asked for."""
    seen: set[int] = set()
    stack: list[Any] = [reader.root["/Pages"]]
    while stack:
        node = stack.pop().get_object()
        if id(node) in seen:
            continue
        seen.add(id(node))
        kids = value(node, "/Kids")
        if kids is None:
            yield node
        else:
            stack.extend(kids.raw_get(n) for n in reversed(range(len(kids))))


def inherited(page: Any, key: str) -> Any:
    """A page's own value, or the nearest ancestor's; None when nobody has it."""
    for _ in range(64):
        if key in page:
            return page[key]
        if "/Parent" not in page:
            return None
        page = page["/Parent"]
    return None
