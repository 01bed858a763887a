"""Functions that the standard does not have and diagrams of other engines use all the same. Pure."""

from typing import Any

from app.bpmn.feel.builtin import builtin
from app.bpmn.feel.error import Meter


@builtin("is defined(value: any)")
def is_defined(_meter: Meter, value: Any) -> bool:
    return value is not None


@builtin("get or else(value: any, default: any)")
def get_or_else(_meter: Meter, value: Any, default: Any) -> Any:
    return default if value is None else value


@builtin("is blank(string: s)")
def is_blank(_meter: Meter, string: str) -> bool:
    return not string.strip()


@builtin("is empty(list: l)")
def is_empty(_meter: Meter, values: list[Any]) -> bool:
    return not values
