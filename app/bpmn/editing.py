"""Correct what an instance knows: a named value, everywhere it is known. Nothing runs."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from SpiffWorkflow.util.task import TaskState

from app.bpmn.step import Run
from app.bpmn.values import plain


def edit(run: Run, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Set values of the data by their names; gives for each its `name`, `old` and `new`.

    Branches and called flows hold copies of the data. A value is set in each that lives, and in what is over where
    it was known: a join compares its branches with what they had in common, and must not take this for a change of
    one of them.
    """
    before = run.data
    told = [{"name": n, "old": plain(before.get(n)), "new": plain(v)} for n, v in changes.items()]
    for tree in (run.workflow, *run.workflow.subprocesses.values()):
        for task in tree.tasks.values():
            lives = bool(task.state & TaskState.NOT_FINISHED_MASK)
            task.data.update({n: deepcopy(plain(v)) for n, v in changes.items() if lives or n in task.data})
        tree.data.update({n: deepcopy(plain(v)) for n, v in changes.items() if n in tree.data})
    return told
