"""The PDF that a form brings."""

from flask import request
from werkzeug.datastructures import FileStorage

from app.refusal import Invalid
from app.text import Text


def uploaded() -> tuple[bytes, str]:
    """The file `document` of the form and its name. Refuses Invalid when there is none."""
    file: FileStorage | None = request.files.get("document")
    if file is None or not file.filename:
        told = Text("请选择一个 PDF 文件", "Choose a PDF file")
        raise Invalid("signing.no_file", zh=told.zh, en=told.en, fields={"document": told})
    return file.stream.read(), file.filename
