"""The seal ledger (B1) as tables: every seal, and the figures by level and by department (A28, A29)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.actor import Actor
from app.glossary import SEAL_KINDS
from app.people import queries as people
from app.seals import queries as seals
from app.text import Text
from reports.grouping import Key, Sum, grouped
from reports.table import Cell, Column, Table

LIMIT = 100_000
STATUSES: dict[str, Text] = {
    "active": Text("使用中", "In use"),
    "unissued": Text("待发放", "Not issued yet"),
    "suspended": Text("已停用", "Suspended"),
    "expired": Text("已过期", "Expired"),
    "cancelled": Text("已注销", "Cancelled"),
}
KEEPING = {"unit": Text("单位保管", "By the unit"), "personal": Text("个人保管", "By a person")}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One seal, and where in the organisation it belongs. `path`: unit names from the top down."""

    row: seals.LedgerRow
    unit_id: int
    unit: str
    level: int
    path: tuple[str, ...]


def tables(actor: Actor, filters: dict[str, Any]) -> list[Table]:
    """The ledger as this person may see it. `filters`: search, status, kind; each may be missing or empty."""
    entries = _entries(actor, filters)
    return [_ledger(entries), _by_level(entries), _by_department(entries)]


def _entries(actor: Actor, filters: dict[str, Any]) -> list[Entry]:
    units = {unit.id: unit for unit in people.units()}
    found = seals.ledger(
        actor,
        search=str(filters.get("search") or ""),
        status=str(filters.get("status") or ""),
        kind=str(filters.get("kind") or ""),
        limit=LIMIT,
    )
    entries = [_entry(row, units) for row in found]
    return sorted(entries, key=lambda e: (e.level, e.path, e.row.seal.name, e.row.seal.id))


def _entry(row: seals.LedgerRow, units: dict[int, Any]) -> Entry:
    """A personal seal counts where its person works."""
    unit_id = row.seal.owner_unit_id
    if unit_id is None and row.seal.owner_user_id is not None:
        unit_id = people.user(row.seal.owner_user_id).unit_id
    names: list[str] = []
    above, seen = unit_id, set[int]()
    while above is not None and above in units and above not in seen:
        seen.add(above)
        names.insert(0, units[above].name)
        above = units[above].parent_id
    level = units[unit_id].level if unit_id in units else 0
    return Entry(
        row=row, unit_id=unit_id or 0, unit=names[-1] if names else "", level=level, path=tuple(names)
    )


_COLUMNS = (
    Column(title=Text("序号", "No."), kind="number", width=7),
    Column(title=Text("印章名称", "Seal"), width=32),
    Column(title=Text("种类", "Kind"), width=12),
    Column(title=Text("所有者", "Owner"), width=28),
    Column(title=Text("所属单位", "Unit"), width=40),
    Column(title=Text("单位层级", "Level"), kind="number", width=9),
    Column(title=Text("状态", "State"), width=12),
    Column(title=Text("保管方式", "Kept"), width=12),
    Column(title=Text("印章卡号", "Card"), width=20),
    Column(title=Text("领用人", "Collector"), width=14),
    Column(title=Text("制章时间", "Made"), kind="moment", width=17),
    Column(title=Text("制章者", "Maker"), width=28),
    Column(title=Text("制章操作员", "Operator"), width=14),
    Column(title=Text("有效期至", "Valid until"), kind="date", width=12),
    Column(title=Text("用印次数", "Uses"), kind="number", width=10),
    Column(title=Text("最近用印", "Last use"), kind="moment", width=17),
    Column(title=Text("印章编号", "Seal number"), width=36),
    Column(title=Text("备案编号", "Filing number"), width=24),
    Column(title=Text("备案机关", "Filed with"), width=28),
)


def _ledger(entries: Sequence[Entry]) -> Table:
    """Also the export for filing (备案, D1): whose column is empty is still to be filed."""
    filed = seals.filings()
    return Table(
        title=Text("印章台帐", "Seal ledger"),
        columns=_COLUMNS,
        rows=[_cells(number, entry, filed) for number, entry in enumerate(entries, 1)],
    )


def _cells(number: int, entry: Entry, filed: Mapping[int, seals.SealFiling]) -> tuple[Cell, ...]:
    seal = entry.row.seal
    filing = filed.get(seal.id)
    return (
        number,
        seal.name,
        SEAL_KINDS.get(seal.kind, seal.kind),
        entry.row.owner_name,
        " / ".join(entry.path),
        entry.level,
        STATUSES.get(entry.row.status, entry.row.status),
        KEEPING.get(seal.keeping, seal.keeping),
        seal.card_serial,
        entry.row.collector_name,
        seal.made_at,
        seal.maker_name,
        seal.operator_name,
        seal.valid_until,
        seal.use_count,
        seal.last_used_at,
        seal.es_id,
        filing.number if filing else None,
        filing.authority if filing else None,
    )


_LEVEL = Key[Entry](
    column=Column(title=Text("单位层级", "Level"), width=10),
    order=lambda e: (e.level,),
    shown=lambda e: Text(f"第 {e.level} 级", f"Level {e.level}"),
)
_UNIT = Key[Entry](
    column=Column(title=Text("单位、部门", "Unit or department"), width=40),
    order=lambda e: (*e.path, e.unit_id),
    shown=lambda e: " / ".join(e.path),
)
_KIND = Key[Entry](
    column=Column(title=Text("种类", "Kind"), width=14),
    order=lambda e: (e.row.seal.kind,),
    shown=lambda e: SEAL_KINDS.get(e.row.seal.kind, e.row.seal.kind),
)


def _with_status(status: str) -> Sum[Entry]:
    return Sum(title=STATUSES[status], of=lambda e: int(e.row.status == status))


_SUMS = (
    Sum[Entry](title=Text("印章数", "Seals"), of=lambda _e: 1),
    *(_with_status(status) for status in STATUSES),
    Sum[Entry](title=Text("用印次数", "Uses"), of=lambda e: e.row.seal.use_count),
)


def _by_level(entries: Sequence[Entry]) -> Table:
    return grouped(Text("按单位层级", "By level"), entries, (_LEVEL, _KIND), _SUMS)


def _by_department(entries: Sequence[Entry]) -> Table:
    return grouped(Text("按单位部门", "By department"), entries, (_LEVEL, _UNIT, _KIND), _SUMS)
