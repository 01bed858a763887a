"""A form on A4, on as many sheets as it takes: a heading, lines of what is said, places for signatures. Pure.

Drawn with a font that every PDF reader has for Chinese (STSong-Light), so nothing is embedded.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from reportlab.lib import utils
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "STSong-Light"
LEFT, RIGHT, VALUE = 72.0, A4[0] - 72.0, 210.0
LINE = 20.0
BOTTOM, EDGE = 120.0, 80.0


def form(title: str, lines: Sequence[tuple[str, str]], signatures: Sequence[str], foot: str = "") -> bytes:
    """`lines`: what is said, and of what; long ones are broken. `signatures`: under each a rule to sign on."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setTitle(title)
    canvas.setFont(FONT, 20)
    canvas.drawCentredString(A4[0] / 2, A4[1] - 96, title)
    y = A4[1] - 150
    for label, value in lines:
        if y < BOTTOM:
            canvas.showPage()
            y = A4[1] - 96
        canvas.setFont(FONT, 11)
        canvas.drawString(LEFT, y, label)
        for piece in _pieces(value):
            canvas.drawString(VALUE, y, piece)
            y -= LINE
            if y < EDGE:
                canvas.showPage()
                canvas.setFont(FONT, 11)
                y = A4[1] - 96
        canvas.setLineWidth(0.3)
        canvas.line(LEFT, y + 12, RIGHT, y + 12)
        y -= 6
    if signatures and y < BOTTOM + 46 * len(signatures):
        canvas.showPage()
        canvas.setFont(FONT, 11)
        y = A4[1] - 96
    y -= 40
    for who in signatures:
        canvas.drawString(LEFT, y, who)
        canvas.line(VALUE, y - 3, RIGHT, y - 3)
        y -= 46
    canvas.setFont(FONT, 9)
    canvas.drawString(LEFT, 60, foot)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _pieces(value: str) -> list[str]:
    library: Any = utils
    return [str(piece) for piece in library.simpleSplit(value, FONT, 11, RIGHT - VALUE)] or [""]
