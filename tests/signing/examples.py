"""Makes the golden examples of `yinxu verify` anew: `python -m tests.signing.examples`. Only for a new schema:
the ones in docs/examples/verify are fixed for good, and tests hold today's verifier to them."""

import dataclasses
import datetime as dt
import json
from pathlib import Path

from PIL import Image, ImageDraw
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from app.crypto.seal_data import Picture
from app.pdf import sealing
from app.pdf.examining import examine
from app.pdf.trusting import Trust
from app.signing import register
from tests.crypto.pki import NOW
from tests.crypto.seal_maker import Parties
from tests.pdf.makers import small_pdf

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "verify"
AT = NOW + dt.timedelta(hours=1)


def stamp() -> bytes:
    from io import BytesIO

    image = Image.new("RGBA", (48, 48), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((2, 2, 45, 45), outline=(200, 0, 0, 255), width=3)
    draw.regular_polygon((24, 24, 9), 5, rotation=0, fill=(200, 0, 0, 255))
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def make() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    parties = Parties()
    parties.ca.publish(FOLDER / "trust")
    picture = Picture(format="PNG", data=stamp(), width_mm=42, height_mm=42)
    genuine = sealed(parties, picture, parties.seal(content=parties.content(picture=picture)))
    forger = dataclasses.replace(parties, ca=parties.ca)
    forged_seal = parties.seal(content=parties.content(picture=picture), made_by=forger.ca.issue("冒名者"))
    files = {
        "genuine.pdf": genuine,
        "altered.pdf": genuine.replace(b"1000 yuan", b"9000 yuan"),
        "added-after.pdf": added_after(genuine),
        "forged-seal.pdf": sealed(parties, picture, forged_seal),
        "withdrawn.pdf": sealed(
            parties, picture, parties.seal(content=parties.content(picture=picture)), x_pt=90.0
        ),
        "unsigned.pdf": small_pdf(),
        "unreadable.pdf": bytes(range(256)) * 2,
    }
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
    trust = Trust(roots=())
    [withdrawn] = examine(files["withdrawn.pdf"], trust, at=AT).signatures
    entry = {
        "id": withdrawn.claim.id,
        "at": (NOW + dt.timedelta(minutes=30)).isoformat(),
        "reason": "合同条款有误",
    }
    lines = [{"register": register.SCHEMA, "entries": 1}, entry]
    (FOLDER / "register.jsonl").write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8"
    )


def sealed(parties: Parties, picture: Picture, seal: bytes, x_pt: float = 300.0) -> bytes:
    ready = sealing.prepare(
        small_pdf(),
        stamp_png=picture.data,
        width_mm=42,
        height_mm=42,
        page=1,
        x_pt=x_pt,
        y_pt=100,
        certificate=parties.card.der,
        at=NOW,
        seal_der=seal,
        signer_name="某市财政局",
        reason="用印 1",
    )
    return sealing.embed(ready.pdf, ready.state, parties.card.sign(ready.to_sign))


def added_after(pdf: bytes) -> bytes:
    from io import BytesIO

    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    more = generic.StreamObject(stream_data=b"BT /F1 18 Tf 72 660 Td (and a bonus of 500 yuan) Tj ET")
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), writer.add_object(more)])
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


if __name__ == "__main__":
    make()
