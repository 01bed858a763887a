"""Where tokens meet: parallel and inclusive joins, and how the data of their branches becomes one again.

SpiffWorkflow marks a token that waits at a join as cancelled once another has come, so that cutting away what
is over loses it; it takes a token of an earlier round for one of this round; and it merges lists by their
length. Here each token waits as itself until the join fires, exactly one is taken from each flow, and what the
branches changed is put together against what they had in common. Source: BPMN 2.0.2, clauses 13.4.1 and 13.4.3.
"""

# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportPrivateUsage=false, reportIncompatibleMethodOverride=false

from collections.abc import Mapping
from typing import Any, cast

from SpiffWorkflow.bpmn.specs.control import _EndJoin
from SpiffWorkflow.util.task import TaskState

ALIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED
_MISSING = object()


class Join:
    """Mixed into a gateway: waits, then takes one token from each flow that has one."""

    def _update_hook(self, my_task: Any) -> bool:
        if len(my_task.task_spec._inputs) < 2:
            my_task._inherit_data()
            return True
        waiting = self._waiting(my_task)
        tokens = self._tokens(my_task, waiting) if len(waiting) + 1 >= self._at_least(my_task) else {}
        if not tokens or not self._may_fire(my_task, set(tokens)):
            my_task._set_state(TaskState.WAITING)
            return False
        flows = my_task.task_spec._inputs
        my_task.data = together([tokens[name].parent for name in flows if name in tokens])
        for token in tokens.values():
            if token is not my_task:
                token.cancel()
        return True

    def _may_fire(self, my_task: Any, here: set[str]) -> bool:
        """Whether nothing else has to be waited for, with a token on each flow that is named in `here`."""
        return here >= set(my_task.task_spec._inputs)

    def _at_least(self, my_task: Any) -> int:
        """How many tokens there must be before it is worth looking closer: every token asks whenever any moves."""
        return len(my_task.task_spec._inputs)

    def _waiting(self, my_task: Any) -> list[Any]:
        """The other tokens that have come."""
        spec = my_task.task_spec
        return [
            task
            for task in my_task.workflow.tasks.values()
            if task.task_spec is spec and task is not my_task and task.state == TaskState.WAITING
        ]

    def _tokens(self, my_task: Any, waiting: list[Any]) -> dict[str, Any]:
        """The first token of each flow, by where it came from; of its own flow the one that asks."""
        first: dict[str, Any] = {my_task.parent.task_spec.name: my_task}
        for task in waiting:
            first.setdefault(task.parent.task_spec.name, task)
        return first


class InclusiveJoin(Join):
    """Waits while a token elsewhere can reach a flow that has none yet, unless it could just as well reach one
    that has its token already."""

    def _at_least(self, my_task: Any) -> int:
        return 1

    def _may_fire(self, my_task: Any, here: set[str]) -> bool:
        spec = my_task.task_spec
        elsewhere = {
            task.task_spec.name
            for task in my_task.workflow.tasks.values()
            if task.task_spec is not spec and task.has_state(ALIVE)
        }
        return not elsewhere & (behind(spec, set(spec._inputs) - here) - behind(spec, here))


class TheEnd(_EndJoin):
    """Where a process is over once no token is left. A token that ends hands what it knows to the next that does,
    so that nothing of it is lost when what is over is cut away."""

    def _update_hook(self, my_task: Any) -> bool:
        my_task._inherit_data()
        alive = False
        for task in list(my_task.workflow.tasks.values()):
            if task is my_task:
                continue
            if task.task_spec is not self:
                alive = alive or task.has_state(ALIVE)
            elif task.state == TaskState.WAITING:
                my_task.data = _merged({}, task.data, my_task.data)
                task.cancel()
        if alive:
            my_task._set_state(TaskState.WAITING)
        return not alive

    def _run_hook(self, my_task: Any) -> bool:
        my_task.workflow.data.update(my_task.data)
        return True


def behind(join: Any, names: set[str]) -> set[str]:
    """Every shape from which one of these can be reached without passing the join."""
    specs = join._wf_spec.task_specs
    found, waiting = set(names), list(names)
    while waiting:
        for before in specs[waiting.pop()]._inputs:
            if before not in found and before != join.name:
                found.add(before)
                waiting.append(before)
    return found


def together(tasks: list[Any]) -> dict[str, Any]:
    """The data of several branches as one: what each has changed since they parted. The branches come in the order
    of their flows, so that what they disagree on is decided by the drawing and not by a clock."""
    base = _parted_at(tasks)
    merged: dict[str, Any] = dict(base)
    for task in tasks:
        merged = _merged(base, merged, task.data)
    return merged


def _parted_at(tasks: list[Any]) -> dict[str, Any]:
    paths: list[list[Any]] = []
    for task in tasks:
        path, above = list[Any](), task
        while above is not None:
            path.append(above)
            above = above.parent
        paths.append(path[::-1])
    shared: dict[str, Any] = {}
    for level in zip(*paths, strict=False):
        if any(task is not level[0] for task in level):
            break
        shared = level[0].data
    return shared


def _merged(base: Mapping[str, Any], ours: dict[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(ours)
    for key, value in theirs.items():
        before, now = base.get(key, _MISSING), ours.get(key, _MISSING)
        if value == now:
            continue
        if value == before or now is _MISSING or now == before:
            made[key] = value if value != before or now is _MISSING else now
        elif isinstance(value, dict) and isinstance(now, dict):
            made[key] = _merged(
                before if isinstance(before, dict) else {}, now, cast("dict[str, Any]", value)
            )
        elif (
            isinstance(value, list) and isinstance(now, list) and _grew(before, now) and _grew(before, value)
        ):
            made[key] = [*now, *value[len(before) if isinstance(before, list) else 0 :]]
        else:
            made[key] = value
    return made


def _grew(before: Any, now: list[Any]) -> bool:
    """Whether the list is what it was before, with something added behind."""
    start = cast("list[Any]", before) if isinstance(before, list) else []
    return now[: len(start)] == start
