"""A decision table as plain data, and back into the DMN file that it came from. Pure.

Writing changes what the data changed and nothing else: other decisions, drawings, extensions, comments, ids and cells
that say the same stay as they stand. Source: DMN 1.5, clause 8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from lxml import etree

from app.bpmn.decision.elements import attribute, child, children, read_model, text_of, type_ref
from app.bpmn.reading import Element, namespace
from app.bpmn.table_cells import ANY, Cell, Value, cell, text, value

TYPES = ("string", "number", "date", "boolean")
POLICIES = ("UNIQUE", "FIRST", "ANY", "PRIORITY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
MOST_RULES = 500
MOST_COLUMNS = 30


@dataclass(frozen=True)
class Column:
    """What a rule looks at, or (`name` in place of `asks`) what it says. `origin`: its place in the file, from 0;
    None for one that the file does not have yet."""

    label: str
    asks: str
    type: str = "string"
    values: tuple[Value, ...] = ()
    """What may stand here, where the file lists it."""
    origin: int | None = None
    default: str = ""
    """Outputs: the FEEL text of what holds when no rule does."""


@dataclass(frozen=True)
class Rule:
    cells: tuple[Cell, ...]
    results: tuple[str, ...]
    """FEEL texts, one for each output."""
    note: str = ""
    origin: int | None = None


@dataclass(frozen=True)
class Sheet:
    decision: str
    name: str
    policy: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    rules: tuple[Rule, ...]


def sheets(xml: str) -> tuple[Sheet, ...]:
    """Every table of the file, in its order. Raises DecisionError for a file that is no DMN."""
    root = read_model(xml.encode())
    found = [(d, child(d, "decisionTable")) for d in children(root, "decision")]
    return tuple(_sheet(decision, table) for decision, table in found if table is not None)


def _sheet(decision: Element, table: Element) -> Sheet:
    return Sheet(
        attribute(decision, "id"),
        attribute(decision, "name") or attribute(decision, "id"),
        attribute(table, "hitPolicy").upper() or "UNIQUE",
        tuple(_input(e, n) for n, e in enumerate(children(table, "input"))),
        tuple(_output(e, n) for n, e in enumerate(children(table, "output"))),
        tuple(_rule(e, n) for n, e in enumerate(children(table, "rule"))),
    )


def _input(element: Element, at: int) -> Column:
    asked = child(element, "inputExpression")
    label = attribute(element, "label") or text_of(asked)
    return Column(label, text_of(asked), type_ref(asked), _listed(child(element, "inputValues")), at)


def _output(element: Element, at: int) -> Column:
    name = attribute(element, "name")
    label = attribute(element, "label") or name
    listed, default = _listed(child(element, "outputValues")), text_of(child(element, "defaultOutputEntry"))
    return Column(label, name, type_ref(element), listed, at, default)


def _listed(element: Element | None) -> tuple[Value, ...]:
    found = cell(text_of(element))
    return found.values if found.kind == "is" else ()


def _rule(element: Element, at: int) -> Rule:
    cells = tuple(cell(text_of(e)) for e in children(element, "inputEntry"))
    results = tuple(text_of(e) for e in children(element, "outputEntry"))
    return Rule(cells, results, text_of(child(element, "description")), at)


def write(xml: str, sheet: Sheet) -> str:
    """The file with the table of `sheet.decision` as the sheet says. Raises DecisionError; LookupError when the file
    has no such table; ValueError for a sheet whose rules do not have a cell for each column."""
    read_model(xml.encode())  # bounds and DOCTYPE: below it is read once more, comments and all
    _check(sheet)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root: Element = etree.fromstring(xml.encode(), parser)
    decision = next(d for d in children(root, "decision") if attribute(d, "id") == sheet.decision)
    table = cast(Element, child(decision, "decisionTable"))
    before = _sheet(decision, table)
    if before == sheet:
        return xml
    if before.policy != sheet.policy:
        table.set("hitPolicy", sheet.policy)
        if sheet.policy != "COLLECT":
            table.attrib.pop("aggregation", None)
    _Writing(root, table, before).write(sheet)
    said = etree.tostring(root.getroottree(), encoding="UTF-8").decode()
    head = xml[: xml.index("?>") + 2] + "\n" if xml.lstrip().startswith("<?xml") else ""
    body = said.partition("?>")[2].lstrip() if said.startswith("<?xml") else said
    return head + body + xml[len(xml.rstrip()) :]


def _check(sheet: Sheet) -> None:
    if len(sheet.rules) > MOST_RULES or len(sheet.inputs) > MOST_COLUMNS:
        raise ValueError("too many rules or columns")
    if any((len(r.cells), len(r.results)) != (len(sheet.inputs), len(sheet.outputs)) for r in sheet.rules):
        raise ValueError("a rule needs a cell for each column")


class _Writing:
    def __init__(self, root: Element, table: Element, before: Sheet) -> None:
        self.table, self.before, self.ns = table, before, namespace(table)
        self.taken = {str(e.get("id")) for e in root.iter() if isinstance(e.tag, str) and e.get("id")}
        self.old = list(children(table, "rule"))
        self.columns = list(children(table, "input"))

    def write(self, sheet: Sheet) -> None:
        for column, element in zip(sheet.outputs, children(self.table, "output"), strict=True):
            if column.default != text_of(child(element, "defaultOutputEntry")):
                self._default(element, column.default)
        self._inputs(sheet)
        rows = [self._rule(rule, sheet) for rule in sheet.rules]
        if rows != self.old:
            self._order(self.old, rows, list(children(self.table, "output"))[-1:])

    def _default(self, element: Element, said: str) -> None:
        found = child(element, "defaultOutputEntry")
        if not said:
            element.remove(found)
        elif found is None:
            self._text(self._new(element, "defaultOutputEntry"), said)
        else:
            self._text(found, said)

    def _inputs(self, sheet: Sheet) -> None:
        wanted = [self._input(column) for column in sheet.inputs]
        if wanted != self.columns:
            self._order(self.columns, wanted, [])

    def _input(self, column: Column) -> Element:
        if column.origin is not None:
            return self.columns[column.origin]
        made = self._made("input")
        made.set("label", column.label)
        asked = self._new(made, "inputExpression")
        asked.set("typeRef", column.type)
        self._text(asked, column.asks)
        if column.values:
            self._text(self._new(made, "inputValues"), text(Cell("is", column.values)))
        return made

    def _rule(self, rule: Rule, sheet: Sheet) -> Element:
        made = self._made("rule") if rule.origin is None else self.old[rule.origin]
        was = None if rule.origin is None else self.before.rules[rule.origin]
        self._note(made, rule.note, was.note if was else "")
        entries, results = list(children(made, "inputEntry")), list(children(made, "outputEntry"))
        wanted: list[Element] = []
        for column, said in zip(sheet.inputs, rule.cells, strict=True):
            kept = entries[column.origin] if column.origin is not None and entries else None
            entry = self._made("inputEntry") if kept is None else kept
            if kept is None or cell(text_of(kept)) != said:
                self._text(entry, text(said))
            wanted.append(entry)
        if wanted != entries:
            self._order(entries, wanted, [c for c in [child(made, "description")] if c is not None], made)
        for n, said in enumerate(rule.results):
            entry = results[n] if results else self._new(made, "outputEntry")
            if text_of(entry) != said:
                self._text(entry, said)
        return made

    def _note(self, rule: Element, said: str, was: str) -> None:
        if said == was:
            return
        found = child(rule, "description")
        if found is None:
            found = rule.makeelement(f"{{{self.ns}}}description", nsmap=rule.nsmap)
            rule.insert(0, found)
        found.text = said

    def _order(
        self, old: Sequence[Element], new: Sequence[Element], after: Sequence[Element], parent: Any = None
    ) -> None:
        """The new elements where the old ones began, or after another, or at the start."""
        holder = self.table if parent is None else parent
        at = holder.index(old[0]) if old else holder.index(after[0]) + 1 if after else 0
        tail = old[0].tail if old else (after[0].tail if after else None)
        last = old[-1].tail if old else tail
        for element in old:
            holder.remove(element)
        for n, element in enumerate(new):
            element.tail = last if n == len(new) - 1 else tail
            holder.insert(at + n, element)

    def _text(self, element: Element, said: str) -> None:
        inner = child(element, "text")
        if inner is None:
            inner = etree.SubElement(element, f"{{{self.ns}}}text")
        for below in list(inner):
            inner.remove(below)
        inner.text = said

    def _new(self, parent: Element, name: str) -> Element:
        made = self._made(name)
        parent.append(made)
        return made

    def _made(self, name: str) -> Element:
        number = 1
        while f"{name}_{number}" in self.taken:
            number += 1
        self.taken.add(f"{name}_{number}")
        return self.table.makeelement(f"{{{self.ns}}}{name}", {"id": f"{name}_{number}"}, self.table.nsmap)


def as_values(column: Column, said: Sequence[str]) -> tuple[Value, ...]:
    """What was entered for a column, as values of its type. Raises ValueError for what is none."""
    quoted = {"number": "{}", "boolean": "{}", "date": 'date("{}")'}.get(column.type)
    return tuple(value(quoted.format(s.strip())) if quoted else s for s in said)


def copied(rule: Rule) -> Rule:
    return Rule(rule.cells, rule.results, rule.note)


def blank(sheet: Sheet) -> Rule:
    """A rule that fits everything and says what the first of the outputs' values is."""
    results = tuple(text(Cell("is", c.values[:1])) if c.values else '""' for c in sheet.outputs)
    return Rule((ANY,) * len(sheet.inputs), results)


__all__ = ["Column", "Rule", "Sheet", "as_values", "blank", "copied", "sheets", "write"]
