"""A duration as people say it: `P2WD` is 2 个工作日. Pure."""

import re

from app.text import Text

_PARTS = (
    (re.compile(r"(\d+)WD"), Text("个工作日", "working day")),
    (re.compile(r"(\d+)WH"), Text("个工作小时", "working hour")),
    (re.compile(r"(\d+)Y"), Text("年", "year")),
    (re.compile(r"P(?:\d+Y)?(\d+)M"), Text("个月", "month")),
    (re.compile(r"(\d+)W(?![DH])"), Text("周", "week")),
    (re.compile(r"(\d+)D"), Text("天", "day")),
    (re.compile(r"(\d+)H"), Text("小时", "hour")),
    (re.compile(r"T.*?(\d+)M"), Text("分钟", "minute")),
    (re.compile(r"(\d+)S"), Text("秒", "second")),
)


def spoken(text: str) -> Text:
    """What it is in words; as it stands where it is no duration."""
    said = [(int(found[1]), words) for pattern, words in _PARTS if (found := pattern.search(text))]
    if not text.startswith("P") or not said:
        return Text(text, text)
    return Text(
        "".join(f"{count} {words.zh}" for count, words in said),
        " ".join(f"{count} {words.en}{'' if count == 1 else 's'}" for count, words in said),
    )
