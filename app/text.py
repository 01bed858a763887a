"""A sentence in both languages people read here: Chinese and English (C5); and what no sentence holds. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and newline; those that turn the direction of writing; halves of a character."""

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Text:
    """One sentence, twice. `zh` is what the organisation reads, `en` what its visitors read."""

    zh: str
    en: str

    def in_(self, language: str) -> str:
        return self.en if language == "en" else self.zh

    def format(self, **values: object) -> "Text":
        return Text(self.zh.format(**values), self.en.format(**values))


def hides_something(said: str) -> bool:
    """Whether it holds characters that nobody sees but that change what is read or stored."""
    return _HIDDEN.search(said) is not None


def reading_order(name: str) -> bytes:
    """What names are sorted by in a list that people read: letters first, then the common characters by their
    pronunciation (拼音), in which GB 18030 numbers those of GB/T 2312 level 1."""
    return name.casefold().encode("gb18030", "replace")


HIDDEN = Text("含有不可见的控制字符", "It contains invisible control characters")
