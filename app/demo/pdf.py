"""The document of the story: one page in Chinese, drawn with a font that every PDF reader has."""

import io

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

TEXT = (
    "甲方:北京示例科技有限公司供应链中心",
    "乙方:上海样本制造有限公司",
    "",
    "一、乙方按附件清单供货,质量符合国家标准。",
    "二、甲方验收合格后十五个工作日内付款。",
    "三、本合同一式两份,双方各执一份,盖章后生效。",
)


def contract() -> bytes:
    """A framework contract, A4, one page."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setTitle("供应商框架合同")
    canvas.setFont("STSong-Light", 20)
    canvas.drawCentredString(A4[0] / 2, A4[1] - 110, "供应商框架合同")
    canvas.setFont("STSong-Light", 12)
    for number, line in enumerate(TEXT):
        canvas.drawString(80, A4[1] - 170 - 26 * number, line)
    canvas.drawString(330, 170, "甲方(盖章):")
    canvas.drawString(330, 144, "2026 年 11 月 22 日")
    canvas.showPage()
    canvas.save()
    return out.getvalue()
