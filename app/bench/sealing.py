"""Sealing documents, beside plain pyHanko with the same card and the same picture, on one core; and what the card alone can do.

Ours: the press as the commands call it (`prepare`, the card's signature, `embed`), with the electronic seal inside, which
the other lacks. Every file that is counted is then verified by pyHanko and by poppler's pdfsig, also with a second seal on it.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from app.bench import stage
from app.bench.measure import Measure, compared, rate
from app.bench.plain_pyhanko import PlainPyHanko, all_good
from app.demo.cards import SimulatedStation
from app.demo.pdf import contract
from app.demo.pdfsig import pdfsig_verdict, trust_database
from app.demo.pki import CardWish, MadeCard, Pki
from app.pdf import sealing
from app.settings import Settings

TIMES = 3.0
"""How many times as many documents a second as plain pyHanko."""
PIN = "314159"
SEAL_BYTES = 2_600
"""About as large as an electronic seal without its picture's share."""


class NotGood(RuntimeError):
    """A file that was counted does not verify."""


def measures() -> Iterator[Measure]:
    with stage.staged(None) as settings, _one_core():
        folder = settings.var_dir
        pki = Pki(folder / "ca", folder / "trust", folder / "drawer")
        made = pki.create([_wish()])
        with _card(settings, made.cards[0]) as sign:
            yield from _documents(pki, made.root, made.cards[0], sign)


def _documents(pki: Pki, root: bytes, card: MadeCard, sign: Callable[[bytes], bytes]) -> Iterator[Measure]:
    png = _picture()
    plain = PlainPyHanko(card.certificate, sign, png)
    nss = trust_database(pki.folder / "nss", [pki.root_pem])
    alone = 0.0
    for name, pdf in {"one_page": contract(), "forty_pages": _pages(40)}.items():

        def ours(pdf: bytes = pdf) -> bytes:
            return _sealed(pdf, card, sign, png)

        def theirs(pdf: bytes = pdf) -> bytes:
            return plain.seal(pdf, "Seal1", (300, 100, 419, 219))

        for what, made in (("ours", ours()), ("ours, twice", _sealed(ours(), card, sign, png, x_pt=60.0))):
            _check(f"{name}: {what}", made, root, nss)
        found = compared(f"sealing.{name}", ours, theirs, unit="documents/s", goal=TIMES)
        alone = alone or found.ours
        yield found
        _check(
            f"{name}: a second by plain pyHanko", plain.seal(ours(), "Other", (60, 400, 179, 519)), root, nss
        )
    bare = rate(lambda: sign(b"x" * 300))
    yield Measure(
        name="sealing.card_alone",
        ours=alone,
        unit="documents/s",
        baseline=bare,
        ratio=alone / bare,
        goal=None,
    )


def _sealed(
    pdf: bytes, card: MadeCard, sign: Callable[[bytes], bytes], png: bytes, *, x_pt: float = 300.0
) -> bytes:
    ready = sealing.prepare(
        pdf,
        stamp_png=png,
        width_mm=42.0,
        height_mm=42.0,
        page=1,
        x_pt=x_pt,
        y_pt=100.0,
        certificate=card.certificate,
        at=datetime.now(UTC),
        seal_der=bytes(SEAL_BYTES),
        signer_name="示例公司",
    )
    return sealing.embed(ready.pdf, ready.state, sign(ready.to_sign))


def _check(what: str, pdf: bytes, root: bytes, nss: Path) -> None:
    if not all_good(pdf, root):
        raise NotGood(f"{what}: pyHanko does not call it valid")
    file = nss.parent / "sealed.pdf"
    file.write_bytes(pdf)
    said = pdfsig_verdict(file, nss)
    if not said.good:
        raise NotGood(f"{what}: pdfsig says {said.word}")


# --- the card, the core, the documents ---


@contextlib.contextmanager
def _card(settings: Settings, card: MadeCard) -> Generator[Callable[[bytes], bytes]]:
    """The card in a reader; gives what signs with it."""
    reader = SimulatedStation(settings.var_dir / "drawer", settings.var_dir / "reader")
    reader.insert(card.token)
    process = subprocess.Popen(  # noqa: S603 - ourselves, no shell
        [sys.executable, "-m", "app.bench.one_signer", str(settings.pkcs11_module), card.serial],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "SOFTHSM2_CONF": str(reader.conf)},
    )  # fmt: skip
    assert process.stdin and process.stdout
    told, says = process.stdin, process.stdout

    def asked(line: str) -> str:
        told.write(line + "\n")
        told.flush()
        return says.readline().strip()

    try:
        if asked(PIN) != "ready":
            raise RuntimeError("the card does not answer")
        yield lambda data: bytes.fromhex(asked(data.hex()))
    finally:
        told.close()
        process.wait(timeout=20)


@contextlib.contextmanager
def _one_core() -> Generator[None]:
    """This process and the card's on one core: nothing is gained by doing two things at once."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _wish() -> CardWish:
    return CardWish(label="bench", role="seal", pin=PIN, organisation="示例公司", common_name="示例公司")


def _picture() -> bytes:
    """A ring as large as a seal of 42 mm at 300 dots an inch."""
    image = Image.new("RGBA", (496, 496), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((8, 8, 488, 488), outline=(200, 0, 0, 255), width=16)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _pages(number: int) -> bytes:
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4)
    for page in range(number):
        for line in range(40):
            canvas.drawString(
                72, 780 - 17 * line, f"Page {page + 1}, line {line + 1}: as agreed between the parties."
            )
        canvas.showPage()
    canvas.save()
    return out.getvalue()
