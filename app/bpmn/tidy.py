"""What a cancelled activity leaves behind in memory: sub-processes without a host, events nobody waits for.

SpiffWorkflow drops the unfinished children of a cancelled task without telling them, so that the tasks of a
sub-process among them would live on as ghosts.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import Any


def forget_orphans(top: Any) -> None:
    """Cancel and drop what hangs on a task that is no longer there."""
    while True:
        alive = {ident for tree in (top, *top.subprocesses.values()) for ident in tree.tasks}
        lost = [ident for ident in top.subprocesses if ident not in alive]
        for ident in lost:
            sub = top.subprocesses.pop(ident, None)  # what is cancelled here comes back to this very function
            for task in list(sub.tasks.values()) if sub is not None else ():
                task.cancel()
        if not lost:
            break
    kept = top.event_manager.tasks
    for ident in [i for i in kept if i not in alive]:
        kept.pop(ident, None)
