"""A seal goes into a PDF: prepared here, signed by a card elsewhere, embedded here. Pure.

`prepare` appends one revision: the seal at true size with the electronic seal inside (docs/pdf-seal.md), the
signature dictionary, room for the signature. The card signs sha256(to_sign) and nothing else; `embed` puts its
signature into the room. What stood in the file before is never touched. Source: A23, B6; ETSI EN 319 142-1.
"""

import base64
import binascii
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Any, ParamSpec, Protocol, TypeVar

from PIL import Image, UnidentifiedImageError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter

from app.pdf import claims, cms
from app.pdf.faults import Active, AlteredBefore, Locked, SignatureUnfit
from app.pdf.foreign import (
    BuildProps,
    PdfCMSEmbedder,
    SigFieldSpec,
    SigIOSetup,
    SignatureObject,
    SigObjSetup,
    generic,
    pdf_name,
    read_certification_data,
)
from app.pdf.geometry import upright_matrix, user_box
from app.pdf.inspecting import (
    Inspection,
    check_clear,
    check_size,
    has_scripts,
    has_xfa,
    inspect,
    size_of,
)
from app.pdf.reading import open_reader, open_writer, refusing, value
from app.pdf.straddling import Strip, straddle
from app.refusal import Invalid

SEAL_KEY = "/YINX"
"""Our entry in the /PieceInfo of the seal's appearance, where the format keeps data of programs: its /Private
is a stream whose bytes are the SESeal's DER, of the same revision, hence within the signed range. (In the
signature dictionary pyHanko takes the stream of a second seal for an unexplained change of the first, and
every reader takes a long string digit by digit.)"""

P = ParamSpec("P")
R = TypeVar("R")

STATE_VERSION = 1
PIXEL_LIMIT = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """`pdf`: the document with room for the signature. `to_sign`: DER of the CMS signed attributes.
    `state`: JSON, all that `embed` needs besides."""

    pdf: bytes = field(repr=False)
    to_sign: bytes = field(repr=False)
    state: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A seal's picture as a PDF carries it: pixels and their opacity, each deflated."""

    width: int
    height: int
    rgb: bytes = field(repr=False)
    alpha: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """`digest`: of the document around the room for the signature, from byte to byte (brackets included)."""

    pdf: bytes = field(repr=False)
    digest: bytes
    field_name: str
    room: tuple[int, int]


class Within(Protocol):
    """Runs a function of the press somewhere: here, or in a process of its own (`confined`)."""

    def __call__(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...


def here(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    return function(*args, **kwargs)


def prepare(
    pdf: bytes,
    *,
    stamp_png: bytes,
    width_mm: float,
    height_mm: float,
    page: int,
    x_pt: float,
    y_pt: float,
    certificate: bytes,
    at: datetime,
    chain: tuple[bytes, ...] = (),
    seal_der: bytes | None = None,
    field_name: str | None = None,
    signer_name: str | None = None,
    reason: str | None = None,
    straddle_pt: float | None = None,
    stamped: bool = False,
    within: Within = here,
) -> Prepared:
    """`stamp_png`: RGBA, drawn `width_mm` × `height_mm` large. `page`: from 1. `x_pt`, `y_pt`: the seal's
    lower left corner in points from the page's lower left corner as seen. `straddle_pt`: 骑缝章, its lower edge above each
    page's; None for none. `stamped`: leave room for a time-stamp. `certificate`: the card's, DER. `within`: where
    the document is read, which is nobody's we know; picture and certificate are ours, and remembered.

    Refuses what `inspect` refuses; Active for documents that change their look; Locked and AlteredBefore for
    earlier signatures; OutsidePage; SinglePage and SignedBefore for strips.
    """
    placed = within(
        place,
        pdf,
        stamp=stamp_of(stamp_png),
        width_mm=width_mm,
        height_mm=height_mm,
        page=page,
        x_pt=x_pt,
        y_pt=y_pt,
        room=cms.room_for(certificate, chain, stamped=stamped),
        at=at,
        seal_der=seal_der,
        field_name=field_name,
        signer_name=signer_name,
        reason=reason,
        straddle_pt=straddle_pt,
    )
    to_sign = cms.signed_attributes(placed.digest, certificate)
    return Prepared(
        pdf=placed.pdf,
        to_sign=to_sign,
        state={
            "v": STATE_VERSION,
            "field": placed.field_name,
            "digest_alg": cms.DIGEST,
            "mechanism": cms.mechanism_of(certificate),
            "room": list(placed.room),
            "prepared_sha256": sha256(placed.pdf).hexdigest(),
            "to_sign": _b64(to_sign),
            "certificate": _b64(certificate),
            "chain": [_b64(c) for c in chain],
        },
    )


def place(
    pdf: bytes,
    *,
    stamp: Stamp,
    width_mm: float,
    height_mm: float,
    page: int,
    x_pt: float,
    y_pt: float,
    room: int,
    at: datetime,
    seal_der: bytes | None = None,
    field_name: str | None = None,
    signer_name: str | None = None,
    reason: str | None = None,
    straddle_pt: float | None = None,
) -> Placed:
    """The document with the seal on its page and `room` bytes for a container. Refuses as `prepare`."""
    check_size(pdf)
    with refusing():
        writer = open_writer(pdf)
        check_sealable(pdf, writer.prev)
        if writer.prev.encrypted:
            writer.encrypt(b"")
        size = size_of(writer.prev, page)
        box = user_box(size, x_pt=x_pt, y_pt=y_pt, width_mm=width_mm, height_mm=height_mm)
        name = field_name or free_name(writer.prev)
        picture = _picture(writer, stamp)
        if straddle_pt is not None:
            straddle(
                writer,
                width_mm=width_mm,
                height_mm=height_mm,
                y_pt=straddle_pt,
                draw=lambda where, turned, strip: _appearance(picture, where, turned, strip),
            )
        dictionary = SignatureObject(
            timestamp=at,
            subfilter=SigSeedSubFilter.PADES,
            name=signer_name,
            reason=reason,
            app_build_props=BuildProps(name="Yinxu"),
            bytes_reserved=2 * room,
        )

        def show(annotation: Any) -> None:
            form = _appearance(picture, box, size.rotate)
            if seal_der is not None:
                _attach(writer, form, seal_der, at)
            annotation["/AP"] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(form)})

        return reserve(writer, SigFieldSpec(name, on_page=page - 1, box=box), dictionary, show)


def reserve(
    writer: Any, field: Any, dictionary: Any, show: Callable[[Any], None] = lambda annotation: None
) -> Placed:
    """The document with a field for the signature of this dictionary, and room in it. `show`: gives the field its look."""
    name: str = field.sig_field_name
    steps: Any = PdfCMSEmbedder(field).write_cms(name, writer)
    show(next(steps).get_object())
    steps.send(SigObjSetup(sig_placeholder=dictionary))
    digest, output = steps.send(SigIOSetup(md_algorithm=cms.DIGEST))
    return Placed(
        pdf=output.getvalue(),
        digest=digest.document_digest,
        field_name=name,
        room=(digest.reserved_region_start, digest.reserved_region_end),
    )


def attest(
    pdf: bytes, *, certificate: bytes, sign: Callable[[bytes], bytes], at: datetime, name: str, reason: str
) -> bytes:
    """A paper of our own, signed without a picture (PAdES B-B). `sign`: gives the signature of the DER of the signed
    attributes under the certificate (DER)."""
    writer = open_writer(pdf)
    dictionary = SignatureObject(
        timestamp=at,
        subfilter=SigSeedSubFilter.PADES,
        name=name,
        reason=reason,
        app_build_props=BuildProps(name="Yinxu"),
        bytes_reserved=2 * cms.room_for(certificate, ()),
    )
    placed = reserve(writer, SigFieldSpec(free_name(writer.prev, "Signature")), dictionary)
    to_sign = cms.signed_attributes(placed.digest, certificate)
    return fill(placed.pdf, placed.room, cms.assemble(to_sign, sign(to_sign), certificate, ()))


def look(pdf: bytes) -> Inspection:
    """What a document is, once it is known that it can be sealed. Refuses as `inspect` and `check_sealable`."""
    found = inspect(pdf)
    with refusing():
        check_sealable(pdf, open_reader(pdf))
    return found


def check_sealable(pdf: bytes, reader: Any) -> None:
    """Refuses Encrypted; Active for a document that can change its look (B8), AlteredBefore for one whose earlier
    signatures do not hold, Locked for one whose signer forbids any further signature."""
    check_clear(reader)
    if has_xfa(reader):
        raise Active("XFA")
    if has_scripts(reader):
        raise Active("JavaScript")
    if any(not claim.holds for claim in claims.read_claims(pdf)):
        raise AlteredBefore
    certified = read_certification_data(reader)
    if certified is not None and certified.permission == MDPPerm.NO_CHANGES:
        raise Locked


def embed(prepared: bytes, state: dict[str, Any], signature: bytes, stamp: bytes | None = None) -> bytes:
    """The sealed document. `prepared`, `state`: as `prepare` gave them; `signature`: the card's over
    `to_sign` (ECDSA in DER); `stamp`: a time-stamp token of it. Refuses SignatureUnfit unless the result holds under the card's certificate."""
    if state["v"] != STATE_VERSION or sha256(prepared).hexdigest() != state["prepared_sha256"]:
        raise SignatureUnfit("this is not the document that was prepared")
    to_sign, certificate = base64.b64decode(state["to_sign"]), base64.b64decode(state["certificate"])
    start, end = state["room"]
    digest = sha256(memoryview(prepared)[:start])
    digest.update(memoryview(prepared)[end:])
    if cms.signed_attributes(digest.digest(), certificate) != to_sign:
        raise SignatureUnfit("what was signed is not of this document")
    if not cms.holds(signature, to_sign, certificate):
        raise SignatureUnfit("the signature does not hold")
    container = cms.assemble(
        to_sign, signature, certificate, tuple(base64.b64decode(c) for c in state["chain"]), stamp
    )
    return fill(prepared, (start, end), container)


def fill(placed: bytes, room: tuple[int, int], container: bytes) -> bytes:
    """The document with the container in its room. Refuses SignatureUnfit when that is too small."""
    start, end = room
    digits = binascii.hexlify(container)
    if len(digits) > end - start - 2:
        raise SignatureUnfit("the signature is larger than its room")
    return placed[: start + 1] + digits.ljust(end - start - 2, b"0") + placed[end - 1 :]


def certificates_of(state: dict[str, Any]) -> tuple[bytes, ...]:
    """The card's certificate and those above it, as they were prepared. DER."""
    return tuple(base64.b64decode(c) for c in (state["certificate"], *state["chain"]))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@lru_cache(maxsize=64)
def stamp_of(png: bytes) -> Stamp:
    """A seal's picture made ready, once. Refuses Invalid for what is no picture of a seal."""
    try:
        with Image.open(BytesIO(png), formats=["PNG"]) as image:
            if image.width * image.height > PIXEL_LIMIT:
                raise ValueError("too many pixels")
            rgba = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Invalid(
            "pdf.stamp_unreadable",
            zh="印章图片无法读取，请联系印章管理部门",
            en="The seal's picture cannot be read; tell the seal office",
            why=str(error),
        ) from error
    return Stamp(
        width=rgba.width,
        height=rgba.height,
        rgb=zlib.compress(rgba.convert("RGB").tobytes()),
        alpha=zlib.compress(rgba.getchannel("A").tobytes()),
    )


def free_name(reader: Any, kind: str = "Seal") -> str:
    """Seal1, Seal2 … the first that no field has."""
    form: Any = value(reader.root, "/AcroForm") or {}
    taken = {str(value(f.get_object(), "/T")) for f in value(form, "/Fields") or ()}
    return next(name for n in range(1, len(taken) + 2) if (name := f"{kind}{n}") not in taken)


WHOLE = Strip(index=0, of=1)


def _appearance(
    picture: Any, box: tuple[float, float, float, float], rotate: int, strip: Strip = WHOLE
) -> Any:
    """The form whose box the picture, or its strip, fills, upright however the page is turned."""
    width, height = box[2] - box[0], box[3] - box[1]
    if rotate in (90, 270):
        width, height = height, width
    full, left = width * strip.of, -width * strip.index
    number = generic.FloatObject
    form: Any = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject([number(0), number(0), number(width), number(height)]),
            pdf_name("/Matrix"): generic.ArrayObject(
                [generic.NumberObject(v) for v in upright_matrix(rotate)]
            ),
            pdf_name("/Resources"): generic.DictionaryObject(
                {pdf_name("/XObject"): generic.DictionaryObject({pdf_name("/Seal"): picture})}
            ),
        },
        stream_data=f"q {full:.4f} 0 0 {height:.4f} {left:.4f} 0 cm /Seal Do Q".encode(),
    )
    return form


def _picture(writer: Any, stamp: Stamp) -> Any:
    """The picture in the file, its opacity as a mask."""
    mask = _pixels(writer, stamp, "/DeviceGray", stamp.alpha, {})
    return _pixels(writer, stamp, "/DeviceRGB", stamp.rgb, {pdf_name("/SMask"): mask})


def _pixels(writer: Any, stamp: Stamp, colours: str, deflated: bytes, more: dict[Any, Any]) -> Any:
    entries = {
        pdf_name("/Type"): pdf_name("/XObject"),
        pdf_name("/Subtype"): pdf_name("/Image"),
        pdf_name("/Width"): generic.NumberObject(stamp.width),
        pdf_name("/Height"): generic.NumberObject(stamp.height),
        **more,
        pdf_name("/ColorSpace"): pdf_name(colours),
        pdf_name("/BitsPerComponent"): generic.NumberObject(8),
        pdf_name("/Filter"): pdf_name("/FlateDecode"),
    }
    return writer.add_object(generic.StreamObject(entries, encoded_data=deflated))


def _attach(writer: Any, form: Any, seal_der: bytes, at: datetime) -> None:
    """The electronic seal, in the place ISO 32000-1 §14.5 has for what only a program understands."""
    modified = generic.pdf_date(at)
    data = generic.DictionaryObject(
        {
            pdf_name("/LastModified"): modified,
            pdf_name("/Private"): writer.add_object(generic.StreamObject(stream_data=seal_der)),
        }
    )
    form[pdf_name("/LastModified")] = modified
    form[pdf_name("/PieceInfo")] = generic.DictionaryObject({pdf_name(SEAL_KEY): data})
