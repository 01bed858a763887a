"""Built-in functions over contexts. Pure. Source: DMN 1.5, table 84."""

from typing import Any, cast

from app.bpmn.feel.builtin import builtin
from app.bpmn.feel.error import Meter


@builtin("get value(m: c, key: s)")
def get_value(_meter: Meter, entries: dict[str, Any], key: str) -> Any:
    return entries.get(key)


@builtin("get entries(m: c)")
def get_entries(_meter: Meter, entries: dict[str, Any]) -> list[Any]:
    return [{"key": name, "value": value} for name, value in entries.items()]


@builtin("context(entries: l)")
def context(_meter: Meter, pairs: list[Any]) -> dict[str, Any] | None:
    made: dict[str, Any] = {}
    for pair in pairs:
        if type(pair) is not dict:
            return None
        entry = cast("dict[str, Any]", pair)
        if "value" not in entry or type(entry.get("key")) is not str or entry["key"] in made:
            return None
        made[entry["key"]] = entry["value"]
    return made


@builtin("context put(context: c, key: s, value: any)")
def context_put(_meter: Meter, entries: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**entries, key: value}


@builtin("context put(context: c, keys: l, value: any)")
def context_put_deep(
    meter: Meter, entries: dict[str, Any], keys: list[Any], value: Any
) -> dict[str, Any] | None:
    if not keys or not all(type(key) is str for key in keys):
        return None
    made = value
    path: list[dict[str, Any]] = [entries]
    for key in keys[:-1]:
        meter.spend(1 + len(path[-1]))
        below = path[-1].get(key)
        if below is not None and type(below) is not dict:
            return None
        path.append(cast("dict[str, Any]", below or {}))
    for holder, key in zip(reversed(path), reversed(keys), strict=True):
        made = {**holder, key: made}
    return made


@builtin("context merge(contexts: l)")
def context_merge(meter: Meter, contexts: list[Any]) -> dict[str, Any] | None:
    merged: dict[str, Any] = {}
    for entries in contexts:
        if type(entries) is not dict:
            return None
        meter.spend(len(cast("dict[str, Any]", entries)))
        merged.update(cast("dict[str, Any]", entries))
    return merged
