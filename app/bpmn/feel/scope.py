"""What an evaluation sees and may still spend. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from app.bpmn.feel.builtin import LIBRARY
from app.bpmn.feel.error import MAX_CALLS, FeelError, Meter
from app.bpmn.feel.value import from_python
from app.text import Text


class Scope:
    """The names that an expression sees. The outermost scope converts the caller's data as it is asked for."""

    __slots__ = ("meter", "names", "now", "parent", "source")

    def __init__(
        self,
        names: dict[str, Any],
        parent: "Scope | None",
        meter: Meter,
        now: datetime | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        self.names = names
        self.parent = parent
        self.meter = meter
        self.now = now
        self.source = source

    def child(self, names: dict[str, Any]) -> "Scope":
        return Scope(names, self, self.meter, self.now)

    def find(self, name: str) -> Any:
        scope = self
        while True:
            if name in scope.names:
                return scope.names[name]
            if scope.parent is None:
                break
            scope = scope.parent
        if scope.source is not None and name in scope.source:
            value = scope.names[name] = from_python(scope.source[name])
            return value
        return LIBRARY.get(name)

    def raw_of_root(self, name: str) -> Mapping[str, Any] | None:
        """The caller's own mapping of this name, unless something nearer has it: saves converting all of it."""
        scope = self
        while True:
            if name in scope.names:
                return None
            if scope.parent is None:
                break
            scope = scope.parent
        found = scope.source.get(name) if scope.source is not None else None
        return cast("Mapping[str, Any]", found) if type(found) is dict else None


Run = Callable[[Scope], Any]
RunTest = Callable[[Any, Scope], "bool | None"]


def called(meter: Meter, body: Run, scope: Scope) -> Any:
    """Run a function's body, so many inside each other and no more."""
    meter.spend()
    meter.calls += 1
    if meter.calls > MAX_CALLS:
        raise FeelError(
            0,
            Text(
                f"函数调用嵌套过深：最多 {MAX_CALLS} 层",
                f"Functions call each other too deeply: at most {MAX_CALLS}",
            ),
        )
    try:
        return body(scope)
    finally:
        meter.calls -= 1
