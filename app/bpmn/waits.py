"""What a step passed, and what an instance waits for after it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.bpmn.parse import Node


@dataclass(frozen=True)
class Passed:
    """A shape that was passed in this step. `did`: what an action or a rule table left to tell."""

    process: str
    node: Node
    token: str
    did: Mapping[str, Any] = field(default_factory=lambda: {})


@dataclass(frozen=True)
class OpenTask:
    """A person is waited for. `token` names the task for good; `data` is what the instance knows there."""

    token: str
    process: str
    node: Node
    data: Mapping[str, Any]
    item: Any = None
    voter: int | None = None
    """Whose vote is asked for, where the task is one seat of a 会签."""


@dataclass(frozen=True)
class OpenMessage:
    """A message is waited for, by exactly this correlation."""

    token: str
    process: str
    node: Node
    message: str
    correlation: str


@dataclass(frozen=True)
class OpenEvent:
    """A signal, an error or an escalation may come. `kind` is which, `name` what it is called."""

    token: str
    process: str
    node: Node
    kind: str
    name: str


@dataclass(frozen=True)
class OpenTimer:
    token: str
    process: str
    node: Node
    due: datetime
