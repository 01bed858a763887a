"""A condition of a rule table in words. Pure."""

from app.bpmn.table_cells import Cell, Value
from app.text import Text

SIGNS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥"}


def shown(value: Value) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return (
        value if isinstance(value, str) else format(value, "f") if not hasattr(value, "year") else str(value)
    )


def words(cell: Cell) -> Text:
    """`≤ 20000`, `10 – 20`, `a、b`, `不是 a`, `任意`."""
    said = [shown(v) for v in cell.values]
    match cell.kind:
        case "any":
            return Text("任意", "any")
        case "written":
            return Text(cell.text, cell.text)
        case "is":
            return Text("、".join(said), ", ".join(said))
        case "not":
            return Text("不是 " + "、".join(said), "not " + ", ".join(said))
        case "between":
            low, high = ("" if cell.ends[0] == "[" else ">"), ("" if cell.ends[1] == "]" else "<")
            both = f"{low}{said[0]} – {high}{said[1]}"
            return Text(both, both)
        case _:
            both = f"{SIGNS[cell.kind]} {said[0]}"
            return Text(both, both)
