"""What the forms of signing bring: a PDF, a choice, a measure."""

from flask import request
from werkzeug.datastructures import FileStorage

from app.refusal import Invalid
from app.text import Text
from app.web.incoming import row_number


def uploaded() -> tuple[bytes, str]:
    """The file `document` of the form and its name. Refuses Invalid when there is none."""
    file: FileStorage | None = request.files.get("document")
    if file is None or not file.filename:
        told = Text("请选择一个 PDF 文件", "Choose a PDF file")
        raise Invalid("signing.no_file", zh=told.zh, en=told.en, fields={"document": told})
    return file.stream.read(), file.filename


def chosen(name: str) -> int:
    """The number of a row that the form's field names. Refuses Invalid when it names none."""
    value = row_number(request.form.get(name))
    if value is None:
        raise _missing(name, Text("请选择", "Please choose"))
    return value


def measure(name: str) -> float:
    """A length, in whatever unit the form asks for. Refuses Invalid for what is no number, or absurd."""
    value = request.form.get(name, type=float)
    if value is None or not -1e6 < value < 1e6:
        raise _missing(name, Text("请填写数字", "A number is needed"))
    return value


def _missing(name: str, told: Text) -> Invalid:
    return Invalid("signing.number_needed", zh="请填写完整", en="Something is missing", fields={name: told})
