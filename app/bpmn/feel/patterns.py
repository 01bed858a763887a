"""Patterns of XPath, as FEEL has them, rewritten for the `regex` library. Pure. Source: XPath F&O 3.1, clause 5.6.1.

The two dialects differ little: XPath knows `\\i`, `\\c` and blocks (`\\p{IsGreek}`), subtracts classes with one
minus sign, and has neither lookaround nor conditions nor names of groups. What XPath has not is refused.
"""

import regex

_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE, "x": 0, "q": 0}
_INITIAL = r"\p{L}_:"
_NAME = _INITIAL + r"\p{N}\p{M}.\-\u00b7\u203f\u2040"
_ESCAPED = frozenset("nrt\\|.?*+(){}[]-^$dDsSwWpP")
_TIMES = regex.compile(r"\d{1,9}(,\d{0,9})?\}")
_SPACE = " \t\r\n"


class NotAPattern(ValueError):
    """The text is no pattern of XPath."""


def compiled(said: str, flags: str) -> "regex.Pattern[str]":
    """Raises NotAPattern, or what `regex` raises."""
    if not set(flags) <= _FLAGS.keys():
        raise NotAPattern(flags)
    combined = regex.V1
    for flag in flags:
        combined |= _FLAGS[flag]
    if "q" in flags:
        return regex.compile(regex.escape(said), combined)
    return regex.compile(_Rewriter(said, flags).whole(), combined)


class _Rewriter:
    """Walks a pattern once, from left to right."""

    def __init__(self, said: str, flags: str) -> None:
        self.said = said
        self.spaces = "x" not in flags
        # a dot is no line's end, and the end is not the line feed before it
        self.plain = {
            ".": "." if "s" in flags else "[^\\n\\r]",
            "$": "$" if "m" in flags else "\\Z",
        }
        self.at = 0
        self.groups = 0
        self.open: list[int] = []
        """The numbers of the groups that are open; 0 for one that captures nothing."""
        self.closed: set[int] = set()

    def whole(self) -> str:
        made: list[str] = []
        while self.at < len(self.said):
            made.append(self._piece())
        return "".join(made)

    def _next(self) -> str:
        if self.at >= len(self.said):
            raise NotAPattern(self.said)
        self.at += 1
        return self.said[self.at - 1]

    def _ahead(self, text: str) -> bool:
        return self.said.startswith(text, self.at)

    def _piece(self) -> str:
        sign = self._next()
        if sign in _SPACE and not self.spaces:
            return ""
        if sign == "\\":
            return self._escape(within=False)
        if sign == "[":
            return self._group_of_characters()
        if sign == "(":
            return self._opening()
        if sign == ")" and self.open:
            self.closed.add(self.open.pop())
        if sign in "*+?{":
            return self._quantifier(sign)
        if sign in "]}":
            raise NotAPattern(self.said)
        return self.plain.get(sign, sign)

    def _quantifier(self, sign: str) -> str:
        """`regex` knows more of them: `{,5}`, and a second `+`."""
        if sign == "{":
            found = _TIMES.match(self.said, self.at)
            if found is None:
                raise NotAPattern(self.said)
            sign += found.group()
            self.at = found.end()
        if self._ahead("+"):
            raise NotAPattern(self.said)
        return sign

    def _opening(self) -> str:
        if self._ahead("?:"):
            self.at += 2
            self.open.append(0)
            return "(?:"
        if self._ahead("?") or self._ahead("*"):
            raise NotAPattern(self.said)
        self.groups += 1
        self.open.append(self.groups)
        return "("

    def _escape(self, *, within: bool) -> str:
        sign = self._next()
        while sign in _SPACE and not self.spaces and not within:
            sign = self._next()
        if sign.isdigit():
            return self._back_reference(sign, within=within)
        if sign in "iIcC":
            inside = _INITIAL if sign in "iI" else _NAME
            return f"[{'^' if sign.isupper() else ''}{inside}]"
        if sign in "pP":
            return self._property(sign)
        if sign not in _ESCAPED:
            raise NotAPattern(self.said)
        return "\\" + sign

    def _back_reference(self, digit: str, *, within: bool) -> str:
        """Only to a group that is closed already; a second digit belongs to it when there are so many groups."""
        number = int(digit)
        following = self.said[self.at : self.at + 1]
        if following.isdigit() and number * 10 + int(following) in self.closed:
            number = number * 10 + int(self._next())
        if within or number not in self.closed:
            raise NotAPattern(self.said)
        return f"(?:\\{number})"

    def _property(self, sign: str) -> str:
        if self._next() != "{" or "}" not in self.said[self.at :]:
            raise NotAPattern(self.said)
        stop = self.said.index("}", self.at)
        name = self.said[self.at : stop]
        self.at = stop + 1
        if name.startswith("Is"):
            return f"\\{sign}{{Block={name[2:]}}}"
        if not 0 < len(name) <= 2 or not name.isalpha():
            raise NotAPattern(self.said)
        return f"\\{sign}{{{name}}}"

    def _group_of_characters(self) -> str:
        """`[a-z-[aeiou]]`: what is in the first and not in the second."""
        made = ["["]
        if self._ahead("^"):
            made.append(self._next())
        if self._ahead("]"):
            raise NotAPattern(self.said)
        while True:
            sign = self._next()
            if sign == "]":
                return "".join([*made, "]"])
            if sign == "\\":
                made.append(self._escape(within=True))
            elif sign == "-" and self._ahead("["):
                self.at += 1
                without = self._group_of_characters()
                if self._next() != "]":
                    raise NotAPattern(self.said)
                return f"(?:(?!{without}){''.join(made)}])"
            elif sign == "[":
                raise NotAPattern(self.said)
            elif sign in "&|~-" and (self._ahead(sign) or made[-1].endswith(sign)):
                made.append("\\" + sign)  # `&&`, `||`, `~~` and `--` are operators of `regex` only
            else:
                made.append(sign)
