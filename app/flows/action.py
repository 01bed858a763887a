"""Where the floors above tell the flows what they can do: actions, panels and choices, each by its name. Pure.

The diagram says `seal_production/order_seal`; the flow's folder registers a function under that same string.
The houses above register what a task page shows of its subject, and what a form's field can be chosen from.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from app.actor import Actor
from app.fact import Fact
from app.text import Text

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Action:
    """One thing a diagram may ask for. `label` is what an editor's drop-down shows."""

    name: str
    label: Text
    function: Callable[..., Fact | None]
    needed: frozenset[str]
    allowed: frozenset[str]

    def __call__(self, parameters: Mapping[str, Any], *, by: Actor) -> Fact | None:
        return self.function(**parameters, by=by)


ACTIONS: dict[str, Action] = {}
PANELS: dict[str, Callable[[int, Any], Any]] = {}
CHOICES: dict[str, Callable[..., Iterable[tuple[str, Text]]]] = {}
CANCELLED: dict[str, list[Callable[..., object]]] = {}


def action(name: str) -> Callable[[F], F]:
    """Register a function for service tasks. Its parameters are what the diagram gives, and `by`, who acted.
    The first line of its docstring is the label: `中文 | English`."""

    def register(function: F) -> F:
        parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "by"]
        zh, _, en = (inspect.getdoc(function) or name).splitlines()[0].partition(" | ")
        if name in ACTIONS and ACTIONS[name].function.__module__ != function.__module__:
            raise TypeError(f"two actions are called {name}")
        ACTIONS[name] = Action(
            name,
            Text(zh, en or zh),
            function,
            frozenset(p.name for p in parameters if p.default is inspect.Parameter.empty),
            frozenset(p.name for p in parameters),
        )
        return function

    return register


def panel(subject: str) -> Callable[[F], F]:
    """Register what a task page shows for instances whose business key is `<subject>/<id>`:
    `function(subject_id, task) -> Markup`."""

    def register(function: F) -> F:
        PANELS[subject] = function
        return function

    return register


def choices(source: str) -> Callable[[F], F]:
    """Register what a form's field with this `source` is chosen from: `function(task, by) -> (value, Text)…`.
    `task` gives the instance's data as `task.data`. The list holds only what this person may choose."""

    def register(function: F) -> F:
        CHOICES[source] = function
        return function

    return register


def cancelled(subject: str) -> Callable[[F], F]:
    """Register what a house does when the flow about `<subject>/<id>` is cancelled, in the same transaction:
    `function(subject_id, reason, *, by)`. What any of them refuses keeps the flow from being cancelled."""

    def register(function: F) -> F:
        CANCELLED.setdefault(subject, []).append(function)
        return function

    return register
