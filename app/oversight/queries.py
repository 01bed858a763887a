"""Read the log within what the reader may see."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.actor import Actor
from app.audit import checkpoint as notes
from app.audit import queries as audit
from app.audit import tree
from app.audit.header import Header, leaf_data
from app.audit.proof import parse as parse_proof
from app.audit.queries import Filter, Row
from app.fact import FACTS, LOG_CLASS_TEXT, LogClass
from app.oversight.labels import label
from app.oversight.rules import Scope, below, scope_of
from app.people import queries as people
from app.refusal import Invalid
from app.settings import current_settings
from app.text import Text

MARKS: dict[str, Text] = {
    "file_name": Text("文件名", "File name"),
    "document": Text("文件摘要", "Document digest"),
    "seal": Text("印章编号", "Seal number"),
    "card": Text("卡号", "Card serial"),
    "impression": Text("印模编号", "Impression number"),
    "application": Text("申请单编号", "Application number"),
    "ip": Text("IP 地址", "IP address"),
    "mac": Text("MAC 地址", "MAC address"),
    "host": Text("计算机名", "Host name"),
    "station": Text("工位编号", "Station number"),
}
"""What can be searched for by exact value, through the blind index."""
CONDITIONS = ("log_class", "person", "result", "since", "until", *MARKS)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a search. `before`: pass it to get the next page; None on the last."""

    rows: list[Row]
    scope: Scope
    matched: int
    placed: int
    waiting: int
    before: int | None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One entry with its proof. `proven`: the path leads from the stored bytes to the signed root."""

    row: Row
    header: Header | None
    index: int
    path: list[bytes]
    leaf: bytes
    checkpoint: notes.Checkpoint
    note: str
    proven: bool


def cleaned(typed: dict[str, str]) -> dict[str, str]:
    """The conditions that were filled in, of those there are."""
    return {name: typed[name].strip() for name in CONDITIONS if typed.get(name, "").strip()}


def search(wanted: dict[str, str], actor: Actor, before: int | None = None) -> Page:
    """Entries that meet `wanted` (see `cleaned`), newest first. Refuses Invalid and Forbidden."""
    scope = scope_of(actor)
    found = audit.search(_filter(wanted, scope, before))
    placed, waiting = audit.size()
    return Page(
        rows=found,
        scope=scope,
        matched=audit.count(_filter(wanted, scope)),
        placed=placed,
        waiting=waiting,
        before=found[-1].number if len(found) == audit.PAGE else None,
    )


def matched(wanted: dict[str, str], actor: Actor) -> int:
    return audit.count(_filter(wanted, scope_of(actor)))


def entry(number: int, actor: Actor) -> Opened:
    """One entry, opened to its bytes, with its proof under the last checkpoint. Refuses NotFound."""
    row = visible(number, actor)
    proof = parse_proof(audit.proof(number))
    stated = notes.parse(proof.note).checkpoint
    leaf = tree.leaf_hash(leaf_data(row.header, row.nonce, row.ciphertext))
    return Opened(
        row=row,
        header=audit.header_of(row),
        index=proof.index,
        path=proof.path,
        leaf=leaf,
        checkpoint=stated,
        note=proof.note,
        proven=tree.inclusion_root(leaf, proof.index, stated.size, proof.path) == stated.root,
    )


def visible(number: int, actor: Actor) -> Row:
    """The entry, if this reader may see it. Refuses NotFound and Forbidden."""
    return audit.entry(number, _filter({}, scope_of(actor)))


def proof(number: int, actor: Actor) -> str:
    """The entry's proof as a file. Refuses NotFound."""
    visible(number, actor)
    return audit.proof(number)


def checkpoint() -> str:
    """The last checkpoint, as text; empty while there is none."""
    return audit.checkpoint() or ""


def title(row: Row) -> Text:
    """What happened, in words."""
    if row.refusal:
        return Text(str(row.refusal.get("zh", "")), str(row.refusal.get("en", "")))
    fact = FACTS.get(row.action)
    return fact.text if fact else Text(row.action, row.action)


def class_text(value: str) -> Text:
    try:
        return LOG_CLASS_TEXT[LogClass(value)]
    except ValueError:
        return Text(value or "—", value or "—")


def unit_names() -> dict[int, str]:
    return {unit.id: unit.name for unit in people.units()}


def _filter(wanted: dict[str, str], scope: Scope, before: int | None = None) -> Filter:
    faults: dict[str, Text] = {}
    chosen = wanted.get("log_class")
    if chosen and chosen not in scope.classes:
        faults["log_class"] = Text("没有此类日志，或您无权查阅", "No such class, or not for you")
    result = wanted.get("result")
    if result and result not in ("fact", "refused"):
        faults["result"] = Text("请选择“已完成”或“被拒绝”", "Choose done or refused")
    since, until = (_day(wanted, name, faults) for name in ("since", "until"))
    marks = {name: [wanted[name]] for name in MARKS if wanted.get(name)}
    if wanted.get("person"):
        marks["person"] = _people(wanted["person"], faults)
    if faults:
        raise Invalid(
            "oversight.bad_condition",
            zh="有的检索条件无法使用，请更正后重试",
            en="Some conditions cannot be used; correct them and search again",
            fields=faults,
        )
    return Filter(
        classes=frozenset({chosen}) if chosen else scope.classes,
        units=None if scope.units is None else below(scope.units, _parents()),
        result=result,
        since=since,
        until=until + timedelta(days=1) if until else None,
        marks=marks,
        only_officers=scope.only_officers,
        without_officers=scope.without_officers,
        before=before,
    )


def _parents() -> dict[int, int | None]:
    return {unit.id: unit.parent_id for unit in people.units()}


def _day(wanted: dict[str, str], name: str, faults: dict[str, Text]) -> datetime | None:
    """The beginning of a day, in the organisation's time zone."""
    if name not in wanted:
        return None
    try:
        day = date.fromisoformat(wanted[name])
    except ValueError:
        faults[name] = Text("请按 2026-11-22 的样子填写日期", "Write the date like 2026-11-22")
        return None
    return datetime.combine(day, time(), ZoneInfo(current_settings().time_zone))


def _people(typed: str, faults: dict[str, Text]) -> list[str]:
    """Ids of whoever has this name or login."""
    found = [str(p.id) for p in people.people() if typed in (p.name, p.login)]
    if not found:
        faults["person"] = Text("没有此姓名或登录名的人", "Nobody has this name or login")
    return found


def payload_lines(row: Row) -> list[tuple[Text, str]]:
    """What the fact or the refusal says, field by field, units by their names."""
    said = row.fact or row.refusal
    units = unit_names()
    return [
        (label(name), _shown(name, value, units))
        for name, value in sorted(said.items())
        if name not in ("zh", "en") and value not in (None, "", {}, [])
    ]


def _shown(name: str, value: Any, units: dict[int, str]) -> str:
    if name.endswith("unit_id") and value in units:
        return units[value]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
