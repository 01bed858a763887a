"""Is this file what it claims to be? Told by its content, never by its name alone. Pure."""

from app.refusal import Invalid
from app.text import Text

_ZIP = b"PK\x03\x04"
KINDS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "ofd": ("application/ofd", (_ZIP,)),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (_ZIP,)),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (_ZIP,)),
}
"""By the name's ending: the type, and how such a file begins. Nothing that runs (no HTML, SVG, macros)."""
ACCEPTED = ".pdf,.png,.jpg,.jpeg,.ofd,.docx,.xlsx"


def plain_name(name: str) -> str:
    """The file's own name, without folders and control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable())[:200] or "file"


def type_of(data: bytes, name: str, *, field: str) -> str:
    """The type that name and content agree on. Refuses Invalid, with the sentence at `field`."""
    kind = KINDS.get(plain_name(name).rsplit(".", 1)[-1].lower())
    if not data:
        raise _refused(
            "form.file_empty", Text("文件是空的，请重新选择", "The file is empty; choose it again"), field
        )
    if kind is None:
        raise _refused(
            "form.file_kind",
            Text(
                "不接受这种文件。请上传 PDF、OFD、Word、Excel(不含宏)、PNG 或 JPEG",
                "This kind of file is not taken. Upload PDF, OFD, Word or Excel (without macros), PNG or JPEG",
            ),
            field,
        )
    if not data.startswith(kind[1]):
        raise _refused(
            "form.file_disguised",
            Text(
                "文件内容与扩展名不符，请用原来的软件重新另存后上传",
                "The file is not what its name says; save it again with the program that made it",
            ),
            field,
        )
    return kind[0]


def _refused(code: str, text: Text, field: str) -> Invalid:
    return Invalid(code, zh=text.zh, en=text.en, fields={field: text})
