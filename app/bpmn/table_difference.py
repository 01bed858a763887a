"""In what two versions of a rule table differ, in sentences for people. Pure."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest

from app.bpmn.table_cells import ANY, Cell
from app.bpmn.table_sheet import Rule, Sheet, sheets
from app.bpmn.table_words import words
from app.text import Text


def differences(old_xml: str, new_xml: str) -> list[Text]:
    """What was changed, in the order of the new table; empty when the tables say the same. Rules are called by
    their new number, removed ones by their old. Raises DecisionError for a file that is no DMN."""
    old, new = ({s.decision: s for s in sheets(xml)} for xml in (old_xml, new_xml))
    told: list[Text] = []
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        if was is None and now is not None:
            told.append(Text(f"新增规则表「{now.name}」", f"The table “{now.name}” was added"))
        elif now is None and was is not None:
            told.append(Text(f"删除规则表「{was.name}」", f"The table “{was.name}” was removed"))
        elif was is not None and now is not None:
            told += _of_table(was, now)
    return told


def _of_table(was: Sheet, now: Sheet) -> Iterator[Text]:
    if was.policy != now.policy:
        yield Text(f"命中方式：{was.policy} → {now.policy}", f"Hit policy: {was.policy} → {now.policy}")
    before, after = {c.asks: c for c in was.inputs}, {c.asks: c for c in now.inputs}
    for asks in after.keys() - before.keys():
        yield Text(f"新增条件列「{after[asks].label}」", f"The column “{after[asks].label}” was added")
    for asks in before.keys() - after.keys():
        yield Text(f"删除条件列「{before[asks].label}」", f"The column “{before[asks].label}” was removed")
    for one, other in zip_longest(was.outputs, now.outputs):
        if one and other and one.default != other.default:
            yield _change(other.label, Text("默认结果", "default"), one.default or "—", other.default or "—")
    yield from _of_rules(was, now)


def _of_rules(was: Sheet, now: Sheet) -> Iterator[Text]:
    said = [[_key(sheet, rule) for rule in sheet.rules] for sheet in (was, now)]
    for tag, a, b, c, d in SequenceMatcher(None, said[0], said[1], autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for n, m in zip_longest(range(a, b), range(c, d)):
            if n is None:
                if said[1][m] in said[0]:
                    at = said[0].index(said[1][m]) + 1
                    yield Text(f"规则 {at} 移到第 {m + 1} 条", f"Rule {at} moved to place {m + 1}")
                else:
                    yield Text(f"新增规则 {m + 1}", f"Rule {m + 1} was added")
            elif m is None:
                if said[0][n] not in said[1]:
                    yield Text(f"删除规则 {n + 1}", f"Rule {n + 1} was removed")
            else:
                yield from _of_rule(was, now, was.rules[n], now.rules[m], m + 1)


def _key(sheet: Sheet, rule: Rule) -> tuple[object, ...]:
    asked = {c.asks: said for c, said in zip(sheet.inputs, rule.cells, strict=True) if said != ANY}
    return (tuple(sorted(asked.items(), key=lambda item: item[0])), rule.results, rule.note)


def _of_rule(was: Sheet, now: Sheet, old: Rule, new: Rule, number: int) -> Iterator[Text]:
    before = {c.asks: said for c, said in zip(was.inputs, old.cells, strict=True)}
    rule = Text(f"规则 {number}", f"Rule {number}")
    for column, said in zip(now.inputs, new.cells, strict=True):
        earlier: Cell = before.get(column.asks, ANY)
        if earlier != said:
            a, b = words(earlier), words(said)
            yield Text(
                f"{rule.zh}：{column.label} {a.zh} → {b.zh}", f"{rule.en}: {column.label} {a.en} → {b.en}"
            )
    for column, one, other in zip(now.outputs, old.results, new.results, strict=False):
        if one != other:
            yield _change(column.label, rule, one, other)
    if old.note != new.note:
        yield Text(
            f"{rule.zh}：说明 “{old.note}” → “{new.note}”", f"{rule.en}: note “{old.note}” → “{new.note}”"
        )


def _change(label: str, of: Text, one: str, other: str) -> Text:
    one, other = one.strip('"'), other.strip('"')
    return Text(f"{of.zh}：{label} {one} → {other}", f"{of.en}: {label} {one} → {other}")
