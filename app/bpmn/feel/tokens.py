"""Text → tokens of FEEL. Pure."""

import re
from dataclasses import dataclass

from app.bpmn.feel.error import MAX_LENGTH, FeelError
from app.text import Text

_MORE = r"\u0300-\u036f\u200c\u200d\u2070-\u218f\U00010000-\U000effff"
"""What a name may hold besides letters, digits and `_`: DMN 1.5, rules 28 and 29, but for the punctuation of
Chinese and Japanese, which is a slip of the keyboard more often than a name."""
_TOKEN = re.compile(
    rf"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<op>\*\*|\.\.|->|<=|>=|!=|[-+*/=<>()\[\]{{}},:.])
      | (?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
      | (?P<at>@\s*"(?:[^"\\]|\\.)*")
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<quoted>`[^`\n]+`)
      | (?P<name>(?:[^\W\d]|[{_MORE}])[\w\u00b7\u203f\u2040{_MORE}]*|\?|')
      | (?P<sign>[^"/])
    """,
    re.VERBOSE | re.DOTALL,
)
_FRACTION = re.compile(r"\.\d+(?:[eE][-+]?\d+)?")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{6}|.)", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/"}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: number, string, at, name, quoted, op, sign or end. `start`, `stop`: offsets in the text.

    A quoted name stands in backquotes, as another engine has it where a name holds blanks or signs.
    A sign is a character that means nothing to FEEL; a declared name may hold it all the same (`Rate %`).
    """

    kind: str
    text: str
    start: int
    stop: int


def tokenize(text: str) -> list[Token]:
    """The tokens, ended by one of kind "end". Refuses (FeelError) what no token of FEEL begins with."""
    if len(text) > MAX_LENGTH:
        raise FeelError(
            MAX_LENGTH,
            Text(
                f"表达式过长：最多 {MAX_LENGTH} 个字符",
                f"The expression is too long: at most {MAX_LENGTH} characters",
            ),
        )
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        # ".5" is a number unless something before it could own the point
        if found and found.group() == "." and not (tokens and _ends_a_value(tokens[-1])):
            fraction = _FRACTION.match(text, position)
            if fraction:
                tokens.append(Token("number", fraction.group(), position, fraction.end()))
                position = fraction.end()
                continue
        if found is None:
            raise unreadable(text, position)
        if found.lastgroup != "space":
            tokens.append(Token(found.lastgroup or "", found.group(), position, found.end()))
        position = found.end()
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _ends_a_value(token: Token) -> bool:
    return token.kind in ("number", "string", "at", "name", "quoted") or token.text in (")", "]", "}")


def unreadable(text: str, position: int) -> FeelError:
    """What to say of a character that begins no token."""
    if text[position] == '"':
        return FeelError(
            position, Text("字符串缺少结尾的双引号", "The string lacks its closing double quote")
        )
    if text.startswith("/*", position):
        return FeelError(position, Text("注释缺少结尾的 */", "The comment lacks its closing */"))
    sign = text[position]
    return FeelError(
        position, Text(f"无法识别的字符 {sign!r}", f"A character that means nothing here: {sign!r}")
    )


def unquote(token: Token) -> str:
    """What a string token says, its escapes resolved."""
    body = token.text[token.text.index('"') + 1 : -1]
    if "\\" not in body:
        return body
    said = _ESCAPE.sub(lambda found: _resolve(found.group(1)), body)
    # a pair of \u escapes may be two halves of one character
    return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _resolve(escape: str) -> str:
    if len(escape) > 1:
        code = int(escape[1:], 16)
        return chr(code) if code <= 0x10FFFF else "\ufffd"
    return _SHORT.get(escape, "\\" + escape)
