"""A flow that cannot go on, and where: an incident for machines, a sentence for people. Pure."""

from typing import Any

from app.refusal import Conflict


class Fault(Conflict):
    """An automatic step that failed. Nothing of the step is kept; `process` and `node` say where it stood."""

    def __init__(self, reason: str, *, process: str, node: str, zh: str, en: str, **details: Any) -> None:
        super().__init__(
            f"flow.{reason}",
            zh=f"流程在「{node}」处无法继续：{zh}。已保持原状，请联系流程管理员。",
            en=f'The flow cannot go on at "{node}": {en}. Nothing was changed; please ask the process owner.',
            process=process,
            node=node,
            **details,
        )
        self.process = process
        self.node = node
