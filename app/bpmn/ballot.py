"""会签: a multi-instance user task whose instances are people. Each seat belongs to one of them.

Who sits where and how much it weighs stands in the activity's own data (`items`), in the order in which they were
asked; what each said stands in its child. So any order of votes, additions and removals gives the same count, however
often the state is saved in between. When it is decided, the seats still open are called off, and the data get

    {task id}: {result: "approved" | "refused", voters, yes, no, open, votes: [{voter, person, name, outcome, …}]}
"""

# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportPrivateUsage=false, reportIncompatibleMethodOverride=false

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from SpiffWorkflow.util.task import TaskState

from app.bpmn.expressions import MAX_INSTANCES
from app.bpmn.loops import Many
from app.bpmn.votes import Rule, Seat, number, rule_of, verdict
from app.refusal import Conflict, Invalid


class Ballot(Many):
    """`rule`: how it is counted; `said`: the shape's properties; `sequential`: one after another (依次)."""

    rule: Rule
    said: Mapping[str, str]

    def becomes(self, said: Mapping[str, str]) -> None:
        self.rule, self.said = rule_of(said), said

    # who is asked

    def _asked(self, my_task: Any) -> list[Any]:
        return my_task.workflow.script_engine.voters(my_task, self.said)

    def _nobody(self, my_task: Any) -> Any:
        """Only where the drawing lets it pass: otherwise asking has already raised a Fault."""
        my_task.internal_data["did"] = {"vote": {**self._told([], True), "nobody": True}}
        return {**self._told([], True), "votes": []}

    def _prepare(self, my_task: Any, child: Any, index: int) -> None:
        child.internal_data["voter"] = my_task.internal_data["items"][index]["id"]

    def _rows(self, my_task: Any) -> list[tuple[dict[str, Any], Any]]:
        """Who sits, each with the child that asks them (None: not yet), without those taken off."""
        asked = {child.internal_data.get("key_or_index"): child for child in self._instances(my_task)}
        rows = [(item, asked.get(index)) for index, item in enumerate(my_task.internal_data["items"])]
        return [(item, child) for item, child in rows if not item.get("off")]

    # how it stands

    def recount(self, my_task: Any, last: Any) -> None:
        rows = self._rows(my_task)
        decided = verdict(self.rule, [self._seat(item, child) for item, child in rows])
        active = [child for _, child in rows if child is not None and not child.has_state(_FINISHED)]
        if decided is not None:
            for child in active:
                child.cancel()
            told = self._told(rows, decided)
            my_task.data[self._kept_under()] = {**told, "votes": [self._vote(*row) for row in rows]}
            my_task.internal_data["did"] = {"vote": told}
            my_task._set_state(TaskState.READY)
        elif not active:
            self._next(my_task)

    def _next(self, my_task: Any) -> None:
        begun = {child.internal_data.get("key_or_index") for child in self._instances(my_task)}
        items = my_task.internal_data["items"]
        self._begin(
            my_task, next(i for i, item in enumerate(items) if i not in begun and not item.get("off"))
        )

    def _answer(self, child: Any) -> Mapping[str, Any] | None:
        if child is None or child.state != TaskState.COMPLETED:
            return None
        said = child.data.get(str(self.bpmn_id))
        return said if isinstance(said, dict) else {}

    def _seat(self, item: Mapping[str, Any], child: Any) -> Seat:
        said = self._answer(child)
        answer = None if said is None else str(said.get("decision")) == self.rule.yes
        return Seat(answer, _fraction(item["weight"]))

    def _told(self, rows: list[tuple[dict[str, Any], Any]], approved: bool) -> dict[str, Any]:
        seats = [self._seat(item, child) for item, child in rows]
        told: dict[str, Any] = {
            "result": "approved" if approved else "refused",
            "voters": len(seats),
            "yes": sum(s.answer is True for s in seats),
            "no": sum(s.answer is False for s in seats),
            "open": sum(s.answer is None for s in seats),
        }
        if self.rule.kind == "weighted":
            told["weight"] = number(sum((s.weight for s in seats), Fraction()))
            told["yes_weight"] = number(sum((s.weight for s in seats if s.answer), Fraction()))
        return told

    def _vote(self, item: Mapping[str, Any], child: Any) -> dict[str, Any]:
        said = self._answer(child)
        by = child.internal_data.get("by") if said is not None else None
        vote: dict[str, Any] = {
            "voter": item["id"],
            "person": by["id"] if by else item["id"] if said is not None else None,
            "name": by["name"] if by else None,
            "outcome": said.get("decision") if said is not None else None,
            "opinion": said.get("opinion") if said is not None else None,
        }
        more = {k: v for k, v in (said or {}).items() if k not in ("decision", "opinion")}
        if more:
            vote["form"] = more
        if self.rule.kind == "weighted":
            vote["weight"] = number(Fraction(item["weight"]))
        return vote

    # 加签, 减签

    def add(self, seat: Any, voter: int, weight: str, added_by: int | None) -> None:
        """A further voter beside that seat; one after another, they come last. Refuses `Conflict` for one who is
        asked already, `Invalid` for more weight than the seat has."""
        my_task = seat.parent
        items = my_task.internal_data["items"]
        if Fraction(weight) > Fraction(items[seat.internal_data["key_or_index"]]["weight"]):
            raise Invalid(
                "flow.too_heavy",
                zh="加签人的票数不能超过您自己的票数",
                en="Who is added cannot weigh more than you do",
            )
        if any(item["id"] == voter and not item.get("off") for item in items):
            raise Conflict(
                "flow.votes_already",
                zh="此人已在会签人员之中。",
                en="This person is among the voters already.",
            )
        if len(items) >= MAX_INSTANCES:
            raise Invalid(
                "flow.too_many_voters",
                zh=f"会签人员不能超过 {MAX_INSTANCES} 人。",
                en=f"There can be no more than {MAX_INSTANCES} voters.",
            )
        items.append({"id": voter, "weight": weight, "added_by": added_by})
        if not self.sequential:
            self._begin(my_task, len(items) - 1)

    def take_off(self, my_task: Any, voter: int) -> None:
        """The voter does not count any more. Refuses `Conflict`: not asked, answered already, or the last one."""
        rows = self._rows(my_task)
        found = next(((item, child) for item, child in rows if item["id"] == voter), None)
        if found is None:
            raise Conflict(
                "flow.votes_not", zh="此人不在会签人员之中。", en="This person is not among the voters."
            )
        item, child = found
        if child is not None and child.state == TaskState.COMPLETED:
            raise Conflict(
                "flow.has_voted",
                zh="此人已经表决，不能减签。",
                en="This person has voted already and cannot be taken off.",
            )
        if len(rows) == 1:
            raise Conflict(
                "flow.last_voter",
                zh="这是最后一位会签人，不能减签；可以先加签他人。",
                en="This is the last voter and cannot be taken off; add another one first.",
            )
        item["off"] = True
        if child is not None:
            child.cancel()
        self.recount(my_task, child)


_FINISHED = TaskState.FINISHED_MASK
_fraction = lru_cache(maxsize=1024)(Fraction)


def seats(my_task: Any) -> list[dict[str, Any]]:
    """Of a running vote, everybody who counts, as asked: id, who added them, whether asked yet, and the answer."""
    spec: Ballot = my_task.task_spec
    return [
        {
            "id": item["id"],
            "added_by": item.get("added_by"),
            "asked": child is not None,
            "said": spec._answer(child),
            "by": child.internal_data.get("by") if child is not None else None,
        }
        for item, child in spec._rows(my_task)
    ]
