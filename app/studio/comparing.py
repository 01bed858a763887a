"""Two versions of a flow held against each other, in a process owner's words: by step names, never by ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from app.bpmn.differing import ASPECTS, Change, differences
from app.bpmn.parse import Node, Program
from app.bpmn.reading import Element, read
from app.flows.versions import Papers
from app.glossary import ROLES
from app.refusal import Refusal
from app.studio.durations import spoken
from app.studio.words import PLAIN
from app.text import Text

Kind = Literal["added", "removed", "changed", "moved"]
KINDS: dict[Kind, Text] = {
    "added": Text("新增", "Added"),
    "removed": Text("去掉", "Removed"),
    "changed": Text("改变", "Changed"),
    "moved": Text("移动", "Moved"),
}
NAMES: dict[str, Text] = {
    "role": Text("由谁办理", "who acts"),
    "form": Text("表单", "form"),
    "en": Text("英文名称", "English name"),
    "fields": Text("字段权限", "field permissions"),
    "notice_zh": Text("提示", "notice"),
    "notice_en": Text("英文提示", "English notice"),
    **PLAIN,
}


@dataclass(frozen=True)
class Difference:
    """`what`: the step, rule or field. `how`: each change in it, one sentence each."""

    kind: Kind
    place: Literal["diagram", "table", "form"]
    element: str
    what: Text
    how: tuple[Text, ...] = ()


def compare(old: Papers, new: Papers, before: Program, after: Program) -> list[Difference]:
    """Of these papers; what they call is left aside."""
    found = [
        *_shapes(old.key, before, after),
        *_tables(old.tables, new.tables),
        *_forms(old.forms, new.forms),
    ]
    order: list[Kind] = ["added", "removed", "changed", "moved"]
    return sorted(found, key=lambda d: order.index(d.kind))


def _shapes(key: str, before: Program, after: Program) -> Iterator[Difference]:
    one, other = before.diagrams[key], after.diagrams[key]
    told: set[str] = set()
    for change in differences(Program(one, {key: one}), Program(other, {key: other})):
        told.add(change.element)
        node = other.nodes.get(change.element) or one.nodes[change.element]
        if not change.label.zh and change.kind != "changed":
            continue  # a branch without a name: what it does shows in what leads to it
        how = _how(change, one.nodes, other.nodes) if change.kind == "changed" else ()
        yield Difference(change.kind, "diagram", change.element, _called(node), how)
    places = {s.id: (s.x, s.y) for s in one.picture.shapes}
    for shape in other.picture.shapes:
        stood = places.get(shape.id, (shape.x, shape.y))
        if stood != (shape.x, shape.y) and shape.id in other.nodes.keys() - told and shape.label.zh:
            yield Difference("moved", "diagram", shape.id, _called(other.nodes[shape.id]))


def _called(node: Node) -> Text:
    if node.label.zh:
        return Text(f"「{node.label.zh}」", f"“{node.label.en or node.label.zh}”")
    return Text("没有名称的分支", "a branch without a name")


def _how(change: Change, before: Mapping[str, Node], after: Mapping[str, Node]) -> tuple[Text, ...]:
    one, other = before[change.element], after[change.element]
    said: list[Text] = []
    for aspect in change.aspects:
        if aspect == "properties":
            said += _properties(one.properties, other.properties)
        elif aspect == "label":
            said.append(_arrow(ASPECTS[aspect], one.label, other.label))
        elif aspect == "lane":
            said.append(_arrow(ASPECTS[aspect], *(Text(n.lane or "—", n.lane or "—") for n in (one, other))))
        else:
            said.append(ASPECTS[aspect])
    return tuple(said)


def _properties(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Text]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name) and name != "en":
            label = NAMES.get(name, Text(name, name))
            yield _arrow(label, _value(name, old.get(name)), _value(name, new.get(name)))


def _value(name: str, said: str | None) -> Text:
    if said is None:
        return Text("无", "none")
    if name in ("role", "voterRole", "escalateTo") and said in ROLES:
        return ROLES[said]
    if name in ("dueIn", "every"):
        return spoken(said)
    if said in ("true", "false"):
        return Text("是", "yes") if said == "true" else Text("否", "no")
    return PLAIN.get(said, Text(said, said))


def _arrow(what: Text, old: Text, new: Text) -> Text:
    return Text(f"{what.zh}：{old.zh} → {new.zh}", f"{what.en}: {old.en} → {new.en}")


# --- rule tables ---


@dataclass(frozen=True)
class _Table:
    name: str
    columns: tuple[str, ...]
    rules: Mapping[str, tuple[int, tuple[str, ...]]]
    policy: str


def _tables(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for file in sorted({*old, *new}):
        if old.get(file) == new.get(file):
            continue
        one, other = _read(old.get(file)), _read(new.get(file))
        for ident in [*other, *(i for i in one if i not in other)]:
            yield from _table(file, one.get(ident), other.get(ident))


def _table(file: str, one: _Table | None, other: _Table | None) -> Iterator[Difference]:
    known = other or one
    if known is None or one == other:
        return
    what = Text(f"规则表「{known.name}」", f"the rule table “{known.name}”")
    if one is None or other is None:
        yield Difference("removed" if other is None else "added", "table", file, what)
        return
    if (one.columns, one.policy) != (other.columns, other.policy):
        yield Difference("changed", "table", file, what, (Text("列或命中方式", "its columns or hit policy"),))
    reordered = set(one.rules) == set(other.rules)
    for ident, (number, cells) in other.rules.items():
        row = _row(what, number)
        if ident not in one.rules:
            yield Difference("added", "table", file, row, (Text("，".join(cells), ", ".join(cells)),))
        elif one.rules[ident][1] != cells:
            yield Difference("changed", "table", file, row, tuple(_cells(other, one.rules[ident][1], cells)))
        elif reordered and one.rules[ident][0] != number:
            yield Difference("moved", "table", file, row)
    for ident, (number, _) in one.rules.items():
        if ident not in other.rules:
            yield Difference("removed", "table", file, _row(what, number))


def _row(table: Text, number: int) -> Text:
    return Text(f"{table.zh}第 {number} 条", f"rule {number} of {table.en}")


def _cells(table: _Table, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Text]:
    for position, cell in enumerate(new):
        before = old[position] if position < len(old) else ""
        if before != cell:
            label = table.columns[position] if position < len(table.columns) else ""
            yield _arrow(
                Text(label, label), Text(before or "—", before or "—"), Text(cell or "—", cell or "—")
            )


def _read(text: Any) -> dict[str, _Table]:
    """The tables of a file by the ids of their decisions; none of what cannot be read."""
    try:
        root = read(str(text).encode()) if text is not None else None
    except Refusal:
        return {}
    found: dict[str, _Table] = {}
    for decision in root.iter("{*}decision") if root is not None else ():
        for table in decision.iter("{*}decisionTable"):
            columns = tuple(
                str(c.get("label") or c.get("name") or _text(c)) for c in (*table.iter("{*}input"), *table.iter("{*}output"))
            )  # fmt: skip
            rules = {
                str(rule.get("id") or number): (
                    number,
                    tuple(_text(e) for e in (*rule.iter("{*}inputEntry"), *rule.iter("{*}outputEntry"))),
                )
                for number, rule in enumerate(table.iter("{*}rule"), 1)
            }
            name = str(decision.get("name") or decision.get("id"))
            found[str(decision.get("id"))] = _Table(name, columns, rules, str(table.get("hitPolicy") or ""))
    return found


def _text(element: Element) -> str:
    return "".join(t.text or "" for t in element.iter("{*}text")).strip()


# --- forms ---


def _forms(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted({*old, *new}):
        one: dict[str, Any] | None = old.get(name)
        other: dict[str, Any] | None = new.get(name)
        if one == other:
            continue
        title = _pair((other or one or {}).get("title"), name)
        what = Text(f"表单「{title.zh}」", f"the form “{title.en}”")
        if one is None or other is None:
            yield Difference("added" if one is None else "removed", "form", name, what)
        else:
            yield Difference("changed", "form", name, what, tuple(_fields(one, other)))


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Text]:
    one, other = (_by_name(form) for form in (old, new))
    for name in [*other, *(n for n in one if n not in other)]:
        label = _pair((other.get(name) or one.get(name) or {}).get("label"), name)
        if name not in one:
            yield Text(f"新增字段“{label.zh}”", f"the field “{label.en}” is new")
        elif name not in other:
            yield Text(f"去掉字段“{label.zh}”", f"the field “{label.en}” is gone")
        elif one[name] != other[name]:
            yield Text(f"字段“{label.zh}”改变", f"the field “{label.en}” differs")


def _pair(said: Any, name: str) -> Text:
    """A text of a form, which may be malformed."""
    pair = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    return Text(str(pair.get("zh") or name), str(pair.get("en") or name))


def _by_name(form: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    fields = form.get("fields")
    found = cast("list[Any]", fields) if isinstance(fields, list) else []
    known = [cast("dict[str, Any]", f) for f in found if isinstance(f, dict)]
    return {str(f.get("name")): f for f in known}
