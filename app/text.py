"""A sentence in both languages people read here: Chinese and English (C5). Pure."""

from dataclasses import dataclass
from typing import Literal

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
