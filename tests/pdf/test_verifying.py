"""One verdict on any file at all: what each of the six means, and what leads to it."""

import random
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from app.pdf.examining import examine, png_digest
from app.pdf.trusting import Trust
from app.pdf.verifying import Report, SealCheck, Withdrawal, as_json, conclude, with_problem
from tests.pdf import makers

SEAL = b"an electronic seal"
GOOD_SEAL = SealCheck(
    es_id="es-1",
    name="某市财政局",
    kind="official",
    maker="CN=Maker",
    valid_from=makers.NOW,
    valid_until=makers.NOW + timedelta(days=300),
    picture=png_digest(makers.stamp_png()),
)


def trust() -> Trust:
    return Trust(roots=(makers.root().der,))


def verify(
    pdf: bytes, *, believed: Trust | None = None, seal: SealCheck | None = None, **more: object
) -> Report:
    """The report, `more`: at, withdrawals."""
    at = more.get("at", makers.NOW)
    roots = trust() if believed is None else believed
    return conclude(
        pdf,
        examine(pdf, roots, at=at),  # type: ignore[arg-type]
        roots,
        at=at,  # type: ignore[arg-type]
        check_seal=lambda der, certificate, moment: seal or GOOD_SEAL,
        withdrawals=more.get("withdrawals"),  # type: ignore[arg-type]
    )


def codes(report: Report) -> list[str]:
    return [p.code for p in report.problems]


def updated(pdf: bytes, change: object) -> bytes:
    """A further revision; `change` gets pyHanko's writer."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)  # type: ignore[operator]
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


# --- genuine ---


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_sealed_document_is_genuine(kind: str) -> None:
    report = verify(makers.sealed(by=makers.card(kind), seal_der=SEAL))

    assert (report.verdict, codes(report)) == ("genuine", [])
    assert report.aspects == {"source": True, "content": True, "seal": True}


def test_two_seals_on_one_document_are_both_genuine() -> None:
    report = verify(makers.sealed(makers.sealed(seal_der=SEAL), x_pt=50.0, seal_der=SEAL))

    assert (report.verdict, codes(report)) == ("genuine", [])
    assert [s.examined.modification for s in report.signatures] == ["form_filling", "none"]


def test_a_signature_without_electronic_seal_can_be_genuine_too() -> None:
    report = verify(makers.sealed())

    assert report.verdict == "genuine"
    assert report.aspects["seal"] is None


# --- altered ---


def test_changed_content_says_altered() -> None:
    report = verify(makers.sealed().replace(b"1000 yuan", b"9000 yuan"))

    assert (report.verdict, codes(report)) == ("altered", ["content_altered"])
    assert report.aspects["content"] is False


def overwrite(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    content = generic.StreamObject(stream_data=b"BT /F1 18 Tf 72 700 Td (Contract No. 42: 9000 yuan) Tj ET")
    page["/Contents"] = writer.add_object(content)
    writer.update_container(page)


def annotate(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/FreeText"),
            generic.pdf_name("/Rect"): generic.ArrayObject(
                [generic.NumberObject(n) for n in (50, 50, 200, 90)]
            ),
            generic.pdf_name("/Contents"): generic.pdf_string("void"),
        }
    )
    page["/Annots"].append(writer.add_object(note))
    writer.update_container(page["/Annots"])


def take_the_signature_out(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    del field["/V"]
    writer.update_container(field)


def take_the_form_out(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/AcroForm"]
    writer.update_root()


@pytest.mark.parametrize("change", [overwrite, annotate, take_the_signature_out, take_the_form_out])
def test_whatever_is_added_afterwards_says_altered(change: object) -> None:
    report = verify(updated(makers.sealed(seal_der=SEAL), change))

    assert report.verdict == "altered"
    assert codes(report) in (["added_after"], ["signature_hidden"])


def test_filling_in_a_form_after_the_last_seal_says_altered() -> None:
    def add_field(writer: IncrementalPdfFileWriter) -> None:
        field = {
            "/FT": generic.pdf_name("/Tx"),
            "/T": generic.pdf_string("amount"),
            "/V": generic.pdf_string("1"),
        }
        reference = writer.add_object(generic.DictionaryObject(field))
        form = generic.DictionaryObject({"/Fields": generic.ArrayObject([reference])})
        writer.root["/AcroForm"] = writer.add_object(form)
        writer.update_root()

    def fill(writer: IncrementalPdfFileWriter) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field["/V"] = generic.pdf_string("9000")
        writer.update_container(field)

    assert verify(updated(makers.sealed(updated(makers.small_pdf(), add_field)), fill)).verdict == "altered"


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\0" * 20, b"%%EOF\n", b"% 9000 yuan\n"])
def test_bytes_after_the_signed_range_say_altered(tail: bytes) -> None:
    assert verify(makers.sealed() + tail).verdict == "altered"


def test_a_file_cut_short_anywhere_after_its_signature_begins_is_never_genuine() -> None:
    pdf = makers.sealed()

    said = {verify(pdf[:length]).verdict for length in range(len(makers.small_pdf()) + 1, len(pdf), 97)}

    assert said <= {"altered", "unreadable", "unsigned"}
    assert "genuine" not in said


def test_an_emptied_container_says_altered() -> None:
    """A claim without its proof is no unsigned document."""
    assert verify(makers.prepared().pdf).verdict == "altered"


def test_a_range_that_spares_some_bytes_says_altered() -> None:
    pdf = makers.sealed()
    start = pdf.index(b"[0 ", pdf.index(b"/ByteRange"))

    assert verify(pdf[:start] + b"[9 " + pdf[start + 3 :]).verdict == "altered"


def test_bytes_hidden_behind_the_container_say_altered() -> None:
    pdf = bytearray(makers.sealed(seal_der=SEAL))
    at = pdf.index(b"00>\n")
    pdf[at - 8 : at] = b"DEADBEEF"

    report = verify(bytes(pdf))

    assert (report.verdict, codes(report)) == ("altered", ["signature_damaged"])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"forged": "maker_signature_bad"}, "seal_forged"),
        ({"listed": False}, "seal_not_signers"),
        ({"picture": png_digest(makers.stamp_png(13))}, "seal_picture_differs"),
    ],
)
def test_a_seal_that_does_not_hold_says_altered(fault: dict[str, object], code: str) -> None:
    report = verify(makers.sealed(seal_der=SEAL), seal=replace(GOOD_SEAL, **fault))  # type: ignore[arg-type]

    assert (report.verdict, codes(report)) == ("altered", [code])
    assert (report.aspects["content"], report.aspects["seal"]) == (True, False)


# --- indeterminate ---


def test_without_roots_nothing_is_genuine() -> None:
    report = verify(makers.sealed(), believed=Trust())

    assert (report.verdict, codes(report)) == ("indeterminate", ["no_roots"])


def test_another_root_is_no_trust() -> None:
    report = verify(makers.sealed(), believed=Trust(roots=(makers.authority("Other").der,)))

    assert (report.verdict, codes(report)) == ("indeterminate", ["untrusted"])


@pytest.mark.parametrize(("days", "code"), [(-31, "not_yet_valid"), (701, "expired")])
def test_the_moment_decides_about_the_certificate(days: int, code: str) -> None:
    report = verify(makers.sealed(), at=makers.NOW + timedelta(days=days))

    assert (report.verdict, codes(report)) == ("indeterminate", [code])


@pytest.mark.parametrize(
    ("doubt", "code"),
    [
        ({"undecided": "maker_untrusted"}, "seal_undecided"),
        ({"outside_validity": True}, "seal_outside_validity"),
    ],
)
def test_a_doubtful_seal_leaves_it_open(doubt: dict[str, object], code: str) -> None:
    report = verify(makers.sealed(seal_der=SEAL), seal=replace(GOOD_SEAL, **doubt))  # type: ignore[arg-type]

    assert (report.verdict, codes(report)) == ("indeterminate", [code])


def test_a_register_that_cannot_be_asked_leaves_it_open() -> None:
    report = with_problem(verify(makers.sealed()), "register_unavailable")

    assert report.verdict == "indeterminate"


# --- withdrawn ---


def test_a_withdrawn_seal_says_withdrawn() -> None:
    pdf = makers.sealed()
    [signature] = verify(pdf).signatures
    withdrawal = Withdrawal(at=makers.NOW, reason="错误")

    report = verify(pdf, withdrawals={signature.examined.claim.id: withdrawal})

    assert report.verdict == "withdrawn"
    assert as_json(report)["signatures"][0]["withdrawn"] == {"at": makers.NOW.isoformat(), "reason": "错误"}


def test_what_is_altered_is_not_excused_by_a_withdrawal() -> None:
    pdf = makers.sealed()
    [signature] = verify(pdf).signatures
    withdrawals = {signature.examined.claim.id: Withdrawal(at=makers.NOW, reason="错误")}

    assert verify(pdf.replace(b"1000", b"9000"), withdrawals=withdrawals).verdict == "altered"


# --- unsigned, unreadable ---


def test_a_plain_document_says_unsigned() -> None:
    assert verify(makers.small_pdf()).verdict == "unsigned"


def test_an_empty_signature_field_says_unsigned() -> None:
    pdf = updated(
        makers.small_pdf(),
        lambda writer: append_signature_field(writer, SigFieldSpec("later", box=(9, 9, 99, 99))),
    )

    assert verify(pdf).verdict == "unsigned"


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"hello", bytes(range(256)) * 40, b"%PDF-1.7\nnothing", makers.stamp_png()]
)
def test_what_is_no_pdf_says_unreadable(data: bytes) -> None:
    assert verify(data).verdict == "unreadable"


def test_any_bytes_at_all_get_an_answer() -> None:
    """Random damage of every size, to a sealed document: an answer each time, and never genuine."""
    pdf, dice = makers.sealed(seal_der=SEAL), random.Random(7)

    for _ in range(150):
        damaged = bytearray(pdf)
        for _ in range(dice.choice((1, 2, 8, 60))):
            at, length = dice.randrange(len(damaged)), dice.choice((1, 1, 4, 90))
            damaged[at : at + length] = dice.randbytes(dice.choice((0, length, length)))
        if bytes(damaged) != pdf:
            assert verify(bytes(damaged)).verdict != "genuine"
