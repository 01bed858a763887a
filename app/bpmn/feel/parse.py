"""Tokens → tree of FEEL, by precedence climbing. Pure.

Names may hold spaces and signs (`Monthly Salary`, `string length`) where they were declared: the longest
declared name that stands here wins; anything else is a single word. Source: DMN 1.5, clause 10.3.1.
"""

import contextlib
from collections.abc import Callable, Generator, Iterable
from decimal import Decimal

from app.bpmn.feel.error import MAX_DEPTH, FeelError
from app.bpmn.feel.moments import literal
from app.bpmn.feel.tokens import Token, tokenize, unquote, unreadable
from app.bpmn.feel.tree import (
    Arithmetic,
    Between,
    Call,
    Compare,
    Constant,
    ContextOf,
    Filter,
    FunctionOf,
    If,
    In,
    InstanceOf,
    Iterate,
    ListOf,
    Logic,
    Name,
    Negative,
    Node,
    Path,
    RangeOf,
    Test,
    Tests,
    TypeName,
)
from app.bpmn.feel.value import number
from app.text import Text

KEYWORDS = frozenset(
    [
        "true",
        "false",
        "null",
        "and",
        "or",
        "in",
        "between",
        "if",
        "then",
        "else",
        "for",
        "return",
        "some",
        "every",
        "satisfies",
        "function",
        "external",
    ]
)
_NO_MEMBER = KEYWORDS | {"instance", "?", "'"}
COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_POWER = {"or": 1, "and": 2, "between": 3, "in": 3, "instance": 7, "+": 4, "-": 4, "*": 5, "/": 5, "**": 6}
_POWER.update(dict.fromkeys(COMPARISONS, 3))
_NEGATIVE = 7
_TERM = 4
"""Binding power of what may stand between comparisons: sums and tighter."""


class Names:
    """Declared names of more than one token, by their first token, the longest first."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in names:
            self.declare(name)

    def declare(self, name: str) -> None:
        try:
            tokens = tokenize(name)[:-1]
        except FeelError:
            return
        words = tuple(token.text for token in tokens)
        # one word needs no telling, nor may a name of nothing but figures and signs hide a sum
        plain = len(words) == 1 and tokens[0].kind == "name"
        if plain or all(token.kind in ("number", "op") for token in tokens):
            return
        rivals = self._by_first.setdefault(words[0], [])
        if (words, name) not in rivals:
            rivals.append((words, name))
            rivals.sort(key=lambda rival: -len(rival[0]))

    def copy(self) -> "Names":
        twin = Names(())
        twin._by_first = {first: list(rivals) for first, rivals in self._by_first.items()}
        return twin

    def at(self, tokens: list[Token], index: int) -> tuple[str, int] | None:
        """The longest declared name that stands at `index`, and how many tokens it takes."""
        for words, name in self._by_first.get(tokens[index].text, ()):
            stop = index + len(words)
            if stop < len(tokens) and all(
                token.kind in ("name", "op", "number", "sign") and token.text == word
                for token, word in zip(tokens[index:stop], words, strict=True)
            ):
                return name, len(words)
        return None


class Parser:
    """Reads one text. Every refusal is a FeelError that says where."""

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0
        self.depth = 0
        self.names = names

    # -- the two things one can read ------------------------------------------------------------------

    def whole_expression(self) -> Node:
        node = self.expression()
        self._finish()
        return node

    def whole_tests(self) -> Tests:
        """A cell: `-`, tests with commas, or `not(tests)`. An empty cell is `-`."""
        at = self.now.start
        if self.now.kind == "end" or (self.now.text == "-" and self.tokens[self.index + 1].kind == "end"):
            return Tests(at, (), False)
        # `not(a) and b` is an expression: only a not that closes at the very end negates the tests
        if self._says("not") and self._closes_at_end(self.index + 1):
            self.index += 2
            tests = self._tests()
            self._take(")")
            self._finish()
            return Tests(at, tests, True)
        tests = self._tests()
        self._finish()
        return Tests(at, tests, False)

    # -- tokens -----------------------------------------------------------------------------------------

    @property
    def now(self) -> Token:
        return self.tokens[self.index]

    def _is(self, op: str) -> bool:
        return self.now.kind == "op" and self.now.text == op

    def _says(self, word: str) -> bool:
        return self.now.kind == "name" and self.now.text == word

    def _next(self) -> Token:
        token = self.tokens[self.index]
        if token.kind != "end":
            self.index += 1
        return token

    def _take(self, text: str) -> Token:
        if self.now.kind not in ("op", "name") or self.now.text != text:
            raise self._unexpected(f"“{text}”", f"'{text}'")
        return self._next()

    def _finish(self) -> None:
        if self.now.kind != "end":
            token = self.now
            if token.kind == "sign":
                raise unreadable(self.text, token.start)
            raise FeelError(
                token.start,
                Text(
                    f"“{token.text}”处多出了内容：表达式应到此为止",
                    f"Something is left over: the expression should end before '{token.text}'",
                ),
            )

    def _unexpected(self, zh: str, en: str) -> FeelError:
        token = self.now
        if token.kind == "sign":
            return unreadable(self.text, token.start)
        if token.kind == "end":
            return FeelError(
                token.start,
                Text(f"表达式不完整：此处应为{zh}", f"The expression is incomplete: {en} is missing"),
            )
        return FeelError(
            token.start,
            Text(f"此处应为{zh}，却是“{token.text}”", f"Expected {en}, but here stands '{token.text}'"),
        )

    def _closes_at_end(self, index: int) -> bool:
        """Whether the bracket at `index` closes as the last token. No bracket there: no."""
        if self.tokens[index].text != "(":
            return False
        depth = 0
        for position in range(index, len(self.tokens)):
            text = self.tokens[position].text if self.tokens[position].kind == "op" else ""
            depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
            if depth == 0:
                return self.tokens[position + 1].kind == "end"
        return False

    @contextlib.contextmanager
    def _deeper(self) -> Generator[None]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FeelError(
                self.now.start,
                Text(
                    f"表达式嵌套过深：最多 {MAX_DEPTH} 层",
                    f"The expression is nested too deeply: at most {MAX_DEPTH} levels",
                ),
            )
        try:
            yield
        finally:
            self.depth -= 1

    # -- expressions ------------------------------------------------------------------------------------

    def expression(self, power: int = 0, *, filters: bool = True) -> Node:
        with self._deeper():
            left = self._prefix(filters)
            chain = 0
            while True:
                token = self.now
                binding = _POWER.get(token.text, 0) if token.kind in ("op", "name") else 0
                if binding <= power:
                    return left
                chain += 1
                if chain + self.depth > MAX_DEPTH:
                    raise FeelError(
                        token.start,
                        Text(
                            f"一个式子里的运算过多：最多 {MAX_DEPTH} 个，请用括号或列表分开",
                            f"Too many operators in a row: at most {MAX_DEPTH}; split the expression",
                        ),
                    )
                left = self._infix(left, token, binding, filters)

    def _infix(self, left: Node, token: Token, binding: int, filters: bool) -> Node:
        at, op = token.start, token.text
        if op == "instance":
            self._next()
            self._take("of")
            return InstanceOf(at, left, self.type_name())
        self._next()
        if op in ("and", "or"):
            terms = [left, self.expression(binding, filters=filters)]
            while self._says(op):
                self._next()
                terms.append(self.expression(binding, filters=filters))
            return Logic(at, op, tuple(terms))
        if op == "between":
            low = self.expression(_TERM - 1, filters=filters)
            self._take("and")
            return Between(at, left, low, self.expression(_TERM - 1, filters=filters))
        if op == "in":
            return In(at, left, self._in_tests())
        if op in ("=", "!=") and self._is_one_ended():
            return Compare(at, op, left, self._one_ended_range())
        right = self.expression(binding, filters=filters)
        return Compare(at, op, left, right) if op in COMPARISONS else Arithmetic(at, op, left, right)

    def _is_one_ended(self) -> bool:
        return self.now.kind == "op" and self.now.text in ("<", "<=", ">", ">=")

    def _one_ended_range(self) -> Node:
        """`>= 2` as a value: a range of one end."""
        token = self._next()
        return _one_ended(token.start, token.text, self.expression(_TERM - 1))

    def _in_tests(self) -> tuple[Node, ...]:
        """What follows `in`: one test, or several in parentheses."""
        if not self._is("("):
            return (self._test(_TERM - 1),)
        start = self.index
        self._next()
        first = self._test(0)
        if self._is(".."):  # it was an open range
            self.index = start
            return (self._test(_TERM - 1),)
        tests = [first]
        while self._is(","):
            self._next()
            tests.append(self._test(0))
        self._take(")")
        return tuple(tests)

    def _tests(self) -> tuple[Node, ...]:
        tests = [self._test(0)]
        while self._is(","):
            self._next()
            tests.append(self._test(0))
        return tuple(tests)

    def _test(self, power: int) -> Node:
        with self._deeper():
            token = self.now
            if token.kind == "op" and token.text in COMPARISONS:
                self._next()
                return Test(token.start, token.text, self.expression(_TERM - 1))
            return self.expression(power)

    # -- what an expression begins with -----------------------------------------------------------------

    def _prefix(self, filters: bool) -> Node:
        token = self.now
        if self._is("-"):
            self._next()
            return Negative(token.start, self.expression(_NEGATIVE, filters=filters))
        begin = _BEGINNINGS.get(token.text) if token.kind in ("op", "name") else None
        if begin is not None and self.names.at(self.tokens, self.index) is None:
            node = begin(self)
        else:
            node = self._simple()
        return self._postfix(node, filters)

    def _simple(self) -> Node:
        token = self.now
        if token.kind in (
            "number",
            "sign",
        ):  # `2nd opinion`, `% of all`: names elsewhere, if not in the standard
            declared = self.names.at(self.tokens, self.index)
            if declared:
                self.index += declared[1]
                return Name(token.start, declared[0])
        if token.kind == "number":
            self._next()
            return Constant(token.start, number(Decimal(token.text)))
        if token.kind == "string":
            self._next()
            return Constant(token.start, unquote(token))
        if token.kind == "at":
            self._next()
            return Constant(token.start, literal(unquote(token)))
        return Name(token.start, self._name())

    def _name(self, *, member: bool = False) -> str:
        if self.now.kind == "quoted":
            return self._next().text.strip("` ")
        if self.now.kind == "name":
            declared = self.names.at(self.tokens, self.index)
            if declared:
                self.index += declared[1]
                return declared[0]
            if member:
                return self._member()
            if self.now.text not in KEYWORDS:
                return self._next().text
        raise self._unexpected("数值、名称或括号", "a value, a name or a bracket")

    def _member(self) -> str:
        """What a context that nobody declared calls an entry: where one word follows another after a point, both
        are of its name, for nothing else could be meant."""
        words = [self._next().text]
        while self.now.kind == "name" and self.now.text not in _NO_MEMBER:
            words.append(self._next().text)
        return " ".join(words)

    def _postfix(self, node: Node, filters: bool) -> Node:
        links = 0
        while self.now.kind == "op" and self.now.text in (".", "[", "("):
            token = self.now
            links += 1
            if links + self.depth > MAX_DEPTH:
                raise FeelError(token.start, Text("路径过长，请拆开", "The path is too long; split it"))
            if token.text == ".":
                self._next()
                node = Path(token.start, node, self._name(member=True))
            elif token.text == "(":
                node = self._call(node)
            elif filters:
                self._next()
                by = self.expression()
                self._take("]")
                node = Filter(token.start, node, by)
            else:
                return node
        return node

    def _call(self, of: Node) -> Node:
        at = self._take("(").start
        args: list[Node] = []
        names: list[str] = []
        while not self._is(")"):
            name = self._label()
            if args and bool(name) != bool(names):
                raise self._unexpected(
                    "全部带名称或全部不带名称的参数", "arguments all with names or all without"
                )
            if name:
                names.append(name)
            args.append(self.expression())
            if not self._is(","):
                break
            self._next()
        self._take(")")
        return Call(at, of, tuple(args), tuple(names))

    def _label(self) -> str:
        """The name before a colon, if one stands here: of an argument, an entry or a parameter."""
        stop = self.index
        while self.tokens[stop].kind in ("name", "number") or (
            stop > self.index and self.tokens[stop].text in ("-", "+", "*", "/", "'", ".")
        ):
            stop += 1
        if stop == self.index or self.tokens[stop].text != ":" or self.tokens[self.index].kind != "name":
            return ""
        name = " ".join(self.text[self.now.start : self.tokens[stop - 1].stop].split())
        self.index = stop + 1
        return name

    # -- brackets ---------------------------------------------------------------------------------------

    def _parenthesis(self) -> Node:
        """`(expression)`, `(1..5]`, or a range of one end: `(< 5)`."""
        at = self._take("(").start
        token = self.now
        if token.kind == "op" and token.text in COMPARISONS:
            self._next()
            to = self.expression(_TERM - 1)
            self._take(")")
            return _one_ended(at, token.text, to)
        node = self.expression(filters=True)
        if self._is(".."):
            return self._range(at, node, low_closed=False)
        self._take(")")
        return node

    def _bracket(self) -> Node:
        """`[1, 2]` or `[1..5]`."""
        at = self._take("[").start
        items: list[Node] = []
        while not self._is("]"):
            items.append(self._list_item())
            if self._is("..") and len(items) == 1:
                return self._range(at, items[0], low_closed=True)
            if not self._is(","):
                break
            self._next()
        self._take("]")
        return ListOf(at, tuple(items))

    def _list_item(self) -> Node:
        return self._one_ended_range() if self._is_one_ended() else self.expression()

    def _outward(self) -> Node:
        """`]1..5[`: a bracket turned outward is an open end."""
        at = self._take("]").start
        return self._range(at, self.expression(_TERM - 1), low_closed=False)

    def _range(self, at: int, low: Node, *, low_closed: bool) -> Node:
        self._take("..")
        # `5[` must not be read as a filter: here the bracket may close the range
        high = self.expression(_TERM - 1, filters=False)
        if self.now.kind != "op" or self.now.text not in (")", "]", "["):
            raise self._unexpected("“)” 或 “]”", "')' or ']'")
        return RangeOf(at, low, high, low_closed, self._next().text == "]")

    def _braces(self) -> Node:
        at = self._take("{").start
        names: list[str] = []
        values: list[Node] = []
        while not self._is("}"):
            name = self._key()
            if name in names:
                raise FeelError(
                    self.now.start, Text(f"重复的条目“{name}”", f"The entry '{name}' is there twice")
                )
            self.names.declare(name)
            names.append(name)
            values.append(self.expression())
            if not self._is(","):
                break
            self._next()
        self._take("}")
        return ContextOf(at, tuple(names), tuple(values))

    def _key(self) -> str:
        if self.now.kind == "string":
            name = unquote(self._next())
            self._take(":")
            return name
        name = self._label()
        if not name:
            raise self._unexpected("条目名称和冒号", "the name of an entry and a colon")
        return name

    # -- words ------------------------------------------------------------------------------------------

    def _word(self) -> Node:
        token = self._next()
        return Constant(token.start, {"true": True, "false": False, "null": None}[token.text])

    def _if(self) -> Node:
        at = self._take("if").start
        condition = self.expression()
        self._take("then")
        then = self.expression()
        self._take("else")
        return If(at, condition, then, self.expression())

    def _iterate(self) -> Node:
        token = self._next()
        names: list[str] = []
        sources: list[Node] = []
        while True:
            names.append(self._variable())
            self._take("in")
            source = self.expression()
            if self._is(".."):
                self._next()
                source = RangeOf(source.at, source, self.expression(), True, True)
            sources.append(source)
            if not self._is(","):
                break
            self._next()
        self._take("return" if token.text == "for" else "satisfies")
        return Iterate(token.start, token.text, tuple(names), tuple(sources), self.expression())

    def _variable(self) -> str:
        """The new name before `in`."""
        start = self.index
        while self.now.kind in ("name", "number") and not self._says("in"):
            self._next()
        if self.index == start:
            raise self._unexpected("变量名", "the name of a variable")
        name = " ".join(self.text[self.tokens[start].start : self.tokens[self.index - 1].stop].split())
        self.names.declare(name)
        return name

    def _function(self) -> Node:
        at = self._take("function").start
        self._take("(")
        params: list[str] = []
        types: list[TypeName | None] = []
        while not self._is(")"):
            start = self.now.start
            name = self._label()
            if name:
                types.append(self.type_name())
            else:
                while self.now.kind in ("name", "number"):
                    self._next()
                name = " ".join(self.text[start : self.tokens[self.index - 1].stop].split())
                if not name or self.now.start == start:
                    raise self._unexpected("参数名", "the name of a parameter")
                types.append(None)
            self.names.declare(name)
            params.append(name)
            if not self._is(","):
                break
            self._next()
        self._take(")")
        if self._says("external"):
            raise FeelError(
                self.now.start,
                Text("不允许外部函数（Java、PMML）", "External functions (Java, PMML) are not allowed"),
            )
        return FunctionOf(at, tuple(params), tuple(types), self.expression())

    # -- types ------------------------------------------------------------------------------------------

    def type_name(self) -> TypeName:
        with self._deeper():
            start = self.index
            while self.now.kind == "name" and (self.index == start or self._type_goes_on(start)):
                self._next()
            if self.index == start:
                raise self._unexpected("类型名", "the name of a type")
            while self._is(".") and self.tokens[self.index + 1].kind == "name":
                self.index += 2
            name = " ".join(self.text[self.tokens[start].start : self.tokens[self.index - 1].stop].split())
            if name == "function" and self._is("<"):
                parts = self._type_parts()[1]
                self._take("->")
                return TypeName(name, (*parts, self.type_name()))
            if name in ("list", "range", "context") and self._is("<"):
                names, parts = self._type_parts()
                return TypeName(name, parts, names)
            return TypeName(name)

    def _type_goes_on(self, start: int) -> bool:
        said = " ".join(token.text for token in self.tokens[start : self.index + 1])
        return (
            any(name == said or name.startswith(said + " ") for name in _LONG_TYPES)
            or (self.names.at(self.tokens, start) or ("", 0))[1] > self.index - start
        )

    def _type_parts(self) -> tuple[tuple[str, ...], tuple[TypeName, ...]]:
        self._take("<")
        names: list[str] = []
        parts: list[TypeName] = []
        while not self._is(">"):
            label = self._label()
            if label:
                names.append(label)
            parts.append(self.type_name())
            if not self._is(","):
                break
            self._next()
        self._take(">")
        return tuple(names), tuple(parts)


_LONG_TYPES = (
    "date and time",
    "days and time duration",
    "years and months duration",
    "day time duration",
    "year month duration",
)

_BEGINNINGS: dict[str, Callable[[Parser], Node]] = {
    "(": Parser._parenthesis,  # pyright: ignore[reportPrivateUsage]
    "[": Parser._bracket,  # pyright: ignore[reportPrivateUsage]
    "]": Parser._outward,  # pyright: ignore[reportPrivateUsage]
    "{": Parser._braces,  # pyright: ignore[reportPrivateUsage]
    "true": Parser._word,  # pyright: ignore[reportPrivateUsage]
    "false": Parser._word,  # pyright: ignore[reportPrivateUsage]
    "null": Parser._word,  # pyright: ignore[reportPrivateUsage]
    "if": Parser._if,  # pyright: ignore[reportPrivateUsage]
    "for": Parser._iterate,  # pyright: ignore[reportPrivateUsage]
    "some": Parser._iterate,  # pyright: ignore[reportPrivateUsage]
    "every": Parser._iterate,  # pyright: ignore[reportPrivateUsage]
    "function": Parser._function,  # pyright: ignore[reportPrivateUsage]
}


def _one_ended(at: int, op: str, to: Node) -> Node:
    if op in ("<", "<="):
        return RangeOf(at, None, to, False, op == "<=")
    if op in (">", ">="):
        return RangeOf(at, to, None, op == ">=", False)
    if op == "=":
        return RangeOf(at, to, to, True, True)
    raise FeelError(at, Text("“!=” 不能单独成为一个区间", "“!=” alone is no range"))
