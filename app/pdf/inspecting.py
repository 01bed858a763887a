"""What a PDF is, before anybody seals it: pages, sizes, and what would stand in the way. Pure."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.pdf.faults import Broken, Encrypted, OutsidePage, TooLarge
from app.pdf.foreign import StandardPermissions
from app.pdf.geometry import PageSize, page_size
from app.pdf.reading import open_reader, pages_of, refusing, value

PAGE_LIMIT = 2_000
SIZE_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """`pages`: their sizes as seen. `has_xfa`, `has_scripts`: it may change its own look. `signatures`: how
    many filled signature fields it has."""

    pages: tuple[PageSize, ...]
    has_xfa: bool
    has_scripts: bool
    signatures: int

    def page(self, number: int) -> PageSize:
        """Page `number`, from 1. Refuses OutsidePage when there is none."""
        if not 1 <= number <= len(self.pages):
            raise OutsidePage
        return self.pages[number - 1]


def inspect(pdf: bytes) -> Inspection:
    """Refuses NotAPdf, Broken, Encrypted, TooLarge."""
    check_size(pdf)
    reader = open_reader(pdf)
    with refusing():
        check_clear(reader)
        sizes: list[PageSize] = []
        for page in pages_of(reader):
            if len(sizes) == PAGE_LIMIT:
                raise TooLarge(
                    f"文件超过 {PAGE_LIMIT} 页，请拆分后再上传",
                    f"The document has more than {PAGE_LIMIT} pages; split it",
                )
            sizes.append(page_size(page))
        if not sizes:
            raise Broken("no pages")
        return Inspection(
            pages=tuple(sizes),
            has_xfa=has_xfa(reader),
            has_scripts=has_scripts(reader),
            signatures=len(reader.embedded_signatures),
        )


def size_of(reader: Any, number: int) -> PageSize:
    """The size of page `number`, from 1, without a look at those behind it. Refuses OutsidePage when there is none."""
    page = next(islice(pages_of(reader), number - 1, None), None) if number >= 1 else None
    if page is None:
        raise OutsidePage
    return page_size(page)


def check_size(pdf: bytes) -> None:
    """Refuses TooLarge."""
    if len(pdf) > SIZE_LIMIT_BYTES:
        raise TooLarge(
            f"文件超过 {SIZE_LIMIT_BYTES >> 20} MB，请压缩或拆分后再上传",
            f"The file is larger than {SIZE_LIMIT_BYTES >> 20} MB; compress or split it",
        )


def check_clear(reader: Any) -> None:
    """Opens what only its owner's password protects: whoever has the file reads it. Refuses Encrypted for what needs a password
    to be read, or when its owner forbids to sign it (ISO 32000-1, table 22: neither forms, notes nor changes)."""
    if not reader.encrypted:
        return
    try:
        result: Any = reader.decrypt(b"")
        allowed = result.permission_flags
    except Exception as error:  # for readers with a certificate of their own, or broken
        raise Encrypted from error
    if result.status.name == "FAILED":
        raise Encrypted
    if (
        result.status.name != "OWNER"
        and allowed is not None
        and not any(flag in allowed for flag in _SIGNING)
    ):
        raise Encrypted


_SIGNING = (
    StandardPermissions.ALLOW_FORM_FILLING,
    StandardPermissions.ALLOW_ANNOTS_FORM_FILLING,
    StandardPermissions.ALLOW_MODIFICATION_GENERIC,
)


def has_xfa(reader: Any) -> bool:
    form: Any = value(reader.root, "/AcroForm") or {}
    return "/XFA" in form


def has_scripts(reader: Any) -> bool:
    """Scripts that run by themselves: on opening, on document events, or by name."""
    root: Any = reader.root
    opening: Any = value(root, "/OpenAction")
    names: Any = value(root, "/Names") or {}
    return (
        "/JavaScript" in names
        or "/AA" in root
        or (isinstance(opening, dict) and value(opening, "/S") in ("/JavaScript", "/Launch"))
    )
