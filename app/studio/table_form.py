"""A rule table as a form: what each cell offers and holds, and what was entered as data again. Pure.

No expression is ever typed: a cell is a kind chosen, and values chosen or entered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from app.bpmn.table_cells import ANY, Cell, Value, cell, literal
from app.bpmn.table_sheet import MOST_COLUMNS, MOST_RULES, Column, Rule, Sheet, as_values, blank, copied
from app.text import Text

KINDS: Mapping[str, Text] = {
    "any": Text("任意", "any"),
    "is": Text("是", "is"),
    "not": Text("不是", "is not"),
    "lt": Text("小于 <", "less than <"),
    "le": Text("不超过 ≤", "at most ≤"),
    "gt": Text("大于 >", "more than >"),
    "ge": Text("不小于 ≥", "at least ≥"),
    "between": Text("介于", "between"),
    "written": Text("在别处编写", "written elsewhere"),
}
POLICY_WORDS: Mapping[str, Text] = {
    "UNIQUE": Text("每种情形只能有一条规则适用", "Exactly one rule may fit a case"),
    "FIRST": Text("从上到下，取第一条适用的规则", "From the top, the first rule that fits decides"),
    "ANY": Text("可有多条适用，但结果必须相同", "Several rules may fit, if they say the same"),
    "PRIORITY": Text("多条适用时，取最优先的结果", "Of several that fit, the result of highest priority"),
    "COLLECT": Text("收集所有适用规则的结果", "Collect what all fitting rules say"),
    "RULE ORDER": Text("收集所有结果，按规则先后", "Collect all, in the order of the rules"),
    "OUTPUT ORDER": Text("收集所有结果，按优先次序", "Collect all, in the order of priority"),
}
PLAIN = ("UNIQUE", "FIRST", "ANY", "COLLECT", "RULE ORDER")
"""Those that need no order of the results; the others are offered only where the file has them."""

TYPE_OF_FIELD = {"number": "number", "date": "date"}


Entered = Any
"""What a request's form offers: `get(name, default)` and `getlist(name)`; werkzeug's overloads fit no protocol."""


@dataclass(frozen=True)
class Known:
    """What is known of a name that tables ask for: from the draft's forms."""

    label: Text
    type: str = "string"
    choices: tuple[tuple[str, Text], ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Box:
    """One cell as the page shows it. `choices`: (FEEL literal, label, whether chosen)."""

    name: str
    kind: str
    kinds: tuple[str, ...]
    type: str
    first: str = ""
    second: str = ""
    text: str = ""
    choices: tuple[tuple[str, Text, bool], ...] = ()
    unit: str = ""


@dataclass
class Grid:
    """A sheet read from a form; `wrong`: name of the field → what is missing."""

    sheet: Sheet
    wrong: dict[str, Text] = field(default_factory=dict[str, Text])


def known_of(forms: Mapping[str, Any]) -> dict[str, Known]:
    """By name: the fields of all forms that a rule can ask about, `forms` as the draft's choices say."""
    found: dict[str, Known] = {}
    for form in forms.values():
        for f in form["fields"]:
            if f["type"] in ("text", "choice", "number", "date"):
                listed = tuple((c["id"], Text(c["zh"], c["en"])) for c in f["choices"])
                kind = TYPE_OF_FIELD.get(f["type"], "string")
                found.setdefault(
                    f["id"], Known(Text(f["zh"], f["en"]), kind, listed, str(f.get("unit") or ""))
                )
    return found


def plain(value: Value) -> str:
    """As an input shows it."""
    if isinstance(value, bool):
        return literal(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def offered(column: Column, known: Known | None, labels: Mapping[str, Text]) -> list[tuple[str, Text]]:
    """What may be chosen in a column: (FEEL literal, label). Empty: it is entered."""
    if column.type == "boolean":
        return [("true", Text("是", "yes")), ("false", Text("否", "no"))]
    named = {**labels, **dict(known.choices if known else ())}
    values: Sequence[Value] = column.values or tuple(v for v, _ in (known.choices if known else ()))
    return [(literal(v), named.get(str(v), Text(plain(v), plain(v)))) for v in values]


def box(name: str, said: Cell, column: Column, known: Known | None, labels: Mapping[str, Text]) -> Box:
    choices = offered(column, known, labels)
    chosen = [literal(v) for v in said.values]
    if choices:
        choices += [
            (c, Text(plain(v), plain(v)))
            for c, v in zip(chosen, said.values, strict=True)
            if c not in dict(choices)
        ]
    orders = column.type in ("number", "date") or said.kind in ("lt", "le", "gt", "ge", "between")
    kinds = ("any", "is", "not", *(("lt", "le", "gt", "ge", "between") if orders else ()))
    kinds += ("written",) if said.kind == "written" else ()
    shown = [plain(v) for v in said.values]
    between = said.kind == "between"
    return Box(
        name,
        said.kind,
        kinds,
        column.type,
        shown[0] if between else "；".join(shown),
        shown[1] if between else "",
        said.text,
        tuple((c, label, c in chosen) for c, label in choices),
        known.unit if known else "",
    )


def entered(sheet: Sheet, form: Entered, known: Mapping[str, Known]) -> Grid:
    """The sheet as the form says; what was not sent stays as it is."""
    grid = Grid(sheet)
    rules = tuple(_rule(n, rule, sheet, form, known, grid) for n, rule in enumerate(sheet.rules))
    outputs = tuple(
        replace(c, default=_result(c, c.default, form.get(f"default-{n}", c.default)))
        for n, c in enumerate(sheet.outputs)
    )
    policy = form.get("policy", sheet.policy)
    policy = policy if policy in POLICY_WORDS else sheet.policy
    grid.sheet = replace(sheet, rules=rules, outputs=outputs, policy=policy)
    return grid


def _rule(n: int, rule: Rule, sheet: Sheet, form: Entered, known: Mapping[str, Known], grid: Grid) -> Rule:
    cells: list[Cell] = []
    for j, (column, was) in enumerate(zip(sheet.inputs, rule.cells, strict=True)):
        name = f"r{n}-c{j}"
        try:
            cells.append(_cell(name, was, column, form))
        except (ValueError, ArithmeticError):
            number = n + 1
            grid.wrong[name] = Text(
                f"规则 {number} 的「{column.label}」还没有填完整：请填写{_wanted(column).zh}",
                f"“{column.label}” of rule {number} is not complete: enter {_wanted(column).en}",
            )
            cells.append(was)
    results = tuple(
        _result(c, was, form.get(f"r{n}-o{k}", was))
        for k, (c, was) in enumerate(zip(sheet.outputs, rule.results, strict=True))
    )
    return replace(rule, cells=tuple(cells), results=results, note=form.get(f"r{n}-note", rule.note).strip())


def _wanted(column: Column) -> Text:
    if column.type == "number":
        return Text("数字，介于时前小后大", "a number; between two, the smaller first")
    if column.type == "date":
        return Text("日期，介于时前早后晚", "a day; between two, the earlier first")
    return Text("至少一个值", "at least one value")


def _cell(name: str, was: Cell, column: Column, form: Entered) -> Cell:
    if f"{name}-kind" not in form:
        return was
    kind = form[f"{name}-kind"]
    if kind == "any" or kind not in KINDS:
        return ANY
    if kind == "written":
        return was
    first, second = form.get(f"{name}-a", "").strip(), form.get(f"{name}-b", "").strip()
    chosen = form.getlist(f"{name}-v")
    if kind == was.kind and not chosen and [first, second] == _shown(was):
        return was
    if kind in ("is", "not"):
        said = cell(",".join(chosen)).values if chosen else _split(column, first)
        return _made(kind, said)
    kinds = replace(column, type="number" if column.type not in ("number", "date") else column.type)
    values = as_values(kinds, [first, second] if kind == "between" else [first])
    if kind == "between" and not values[0] <= values[1]:  # type: ignore[operator]
        raise ValueError
    return Cell(kind, values, was.ends if kind == was.kind else "[]")  # type: ignore[arg-type]


def _made(kind: str, values: tuple[Value, ...]) -> Cell:
    if not values:
        raise ValueError
    return Cell(kind, values)  # type: ignore[arg-type]


def _shown(was: Cell) -> list[str]:
    shown = [plain(v) for v in was.values]
    return shown if was.kind == "between" else ["；".join(shown), ""]


def _split(column: Column, said: str) -> tuple[Value, ...]:
    parts = [p.strip() for p in said.replace(";", "；").split("；")]
    return as_values(column, [p for p in parts if p])


def _result(column: Column, was: str, said: str) -> str:
    """A result as FEEL: what was chosen is a literal already, what was entered is not; anything else stays."""
    said = said.strip()
    if said in (was, ""):
        return said
    if cell(said).kind == "is" and said[0] in '"d@':
        return said
    try:
        return literal(as_values(column, [said])[0])
    except (ValueError, ArithmeticError):
        return was


def acted(sheet: Sheet, do: str, known: Mapping[str, Known], field_name: str) -> Sheet:
    """After a button: `add`, `remove-2`, `copy-2`, `up-2`, `down-2`, `drop-1` (column), `column` (added)."""
    verb, _, at = do.partition("-")
    rules, n = list(sheet.rules), int(at) if at.isdecimal() and len(at) < 4 else -1
    if verb == "add" and len(rules) < MOST_RULES:
        rules.append(blank(sheet))
    elif verb == "column" and field_name in known and len(sheet.inputs) < MOST_COLUMNS:
        return _wider(sheet, field_name, known[field_name])
    elif verb == "drop" and 0 <= n < len(sheet.inputs) and len(sheet.inputs) > 1:
        inputs = sheet.inputs[:n] + sheet.inputs[n + 1 :]
        thinner = tuple(replace(r, cells=r.cells[:n] + r.cells[n + 1 :]) for r in rules)
        return replace(sheet, inputs=inputs, rules=thinner)
    elif 0 <= n < len(rules):
        if verb == "remove":
            del rules[n]
        elif verb == "copy" and len(rules) < MOST_RULES:
            rules.insert(n + 1, copied(rules[n]))
        elif verb in ("up", "down"):
            to = max(0, min(len(rules) - 1, n + (1 if verb == "down" else -1)))
            rules.insert(to, rules.pop(n))
    return replace(sheet, rules=tuple(rules))


def _wider(sheet: Sheet, name: str, known: Known) -> Sheet:
    column = Column(known.label.zh, name, known.type, tuple(v for v, _ in known.choices))
    rules = tuple(replace(r, cells=(*r.cells, ANY)) for r in sheet.rules)
    return replace(sheet, inputs=(*sheet.inputs, column), rules=rules)


def case_of(sheet: Sheet, form: Entered) -> dict[str, Any] | None:
    """The data of a case to try: `case-0` and so on; None when nothing was entered. Raises ValueError."""
    given: dict[str, Any] = {}
    for n, column in enumerate(sheet.inputs):
        said = form.get(f"case-{n}", "").strip()
        if said:
            read = (
                cell(said).values if said[0] == '"' or column.type == "boolean" else as_values(column, [said])
            )
            *path, last = column.asks.split(".")
            held = given
            for step in path:
                held = held.setdefault(step, {})
            held[last] = read[0] if read else None
    return given or None


__all__ = ["KINDS", "POLICY_WORDS", "Box", "Grid", "Known", "acted", "box", "case_of", "entered", "known_of"]
