"""Verdicts in plain words, for people who have never heard of a signature. Pure."""

from app.pdf.verifying import Report
from app.text import Text

VERDICTS: dict[str, tuple[Text, str, Text]] = {
    "genuine": (
        Text("真实有效", "Genuine"),
        "good",
        Text(
            "印章和签章者可信，盖章之后内容没有改动。",
            "Seal and signer are trusted, and nothing was changed after it was sealed.",
        ),
    ),
    "altered": (
        Text("已被改动", "Altered"),
        "bad",
        Text(
            "这不是盖章时的文件，请不要采信，并向来文单位索取原件。",
            "This is not the document that was sealed. Do not rely on it; ask the sender for the original.",
        ),
    ),
    "withdrawn": (
        Text("已撤章", "Withdrawn"),
        "bad",
        Text(
            "盖章单位已经撤回了这枚签章，文件不再有效。",
            "The unit has taken its seal back; the document is no longer valid.",
        ),
    ),
    "indeterminate": (
        Text("无法判断", "Cannot be told"),
        "warn",
        Text(
            "没有发现改动，但来源或印章不能确认，请向来文单位核实。",
            "No change was found, but source or seal cannot be confirmed; check with the sender.",
        ),
    ),
    "unsigned": (
        Text("没有签章", "Not sealed"),
        "warn",
        Text(
            "这个文件没有电子签章，无法证明其来源。",
            "No electronic seal is on it, so nothing proves where it is from.",
        ),
    ),
    "unreadable": (
        Text("无法读取", "Cannot be read"),
        "warn",
        Text(
            "这不是可读取的 PDF，请确认选择了正确的文件。",
            "This is no PDF that can be read; make sure it is the right file.",
        ),
    ),
}
"""For each verdict: its name, its tone (as chips have it), what it means and what to do."""

ASPECTS: dict[str, tuple[Text, dict[bool | None, Text]]] = {
    "source": (
        Text("来源", "Source"),
        {
            True: Text("签章者证书可信", "The signer's certificate is trusted"),
            False: Text("签章者证书不可信", "The signer's certificate is not to be trusted"),
            None: Text("来源不能确认", "The source cannot be confirmed"),
        },
    ),
    "content": (
        Text("内容", "Content"),
        {
            True: Text("盖章之后没有改动", "Unchanged since it was sealed"),
            False: Text("盖章之后有改动", "Changed after it was sealed"),
            None: Text("内容不能确认", "The content cannot be confirmed"),
        },
    ),
    "seal": (
        Text("印章", "Seal"),
        {
            True: Text("电子印章真实，属于签章者", "The electronic seal is genuine and the signer's own"),
            False: Text("电子印章不成立", "The electronic seal does not hold"),
            None: Text("没有电子印章，或不能确认", "No electronic seal, or it cannot be confirmed"),
        },
    ),
}

COVERAGE: dict[str, Text] = {
    "entire_file": Text("整个文件", "the whole file"),
    "entire_revision": Text("签章时的整个版本，其后还有更新", "the whole revision then; updates follow"),
    "partial": Text("只有文件的一部分", "only part of the file"),
    "unclear": Text("不能确定", "unclear"),
}
MODIFICATION: dict[str, Text] = {
    "none": Text("没有", "none"),
    "lta_updates": Text("只补充了长期验证资料", "only data for long-term validation"),
    "form_filling": Text("填写了表单或加盖了其他印章", "forms filled in or other seals added"),
    "annotations": Text("增加了批注", "annotations"),
    "other": Text("改动了内容", "the content itself"),
    "unknown": Text("不能确定", "cannot be told"),
}


def aspects(report: Report) -> list[tuple[Text, Text, str]]:
    """来源, 内容, 印章: name, finding, tone. None when there is nothing signed to speak of."""
    if not report.signatures:
        return []
    tones = {True: "good", False: "bad", None: "warn"}
    return [(ASPECTS[name][0], ASPECTS[name][1][held], tones[held]) for name, held in report.aspects.items()]
