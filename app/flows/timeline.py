"""An instance's history in words: what people see beside a task. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.text import Text

OUTCOMES = {"approve": Text("同意", "Approved"), "send_back": Text("退回修改", "Sent back")}
SYSTEM = Text("系统", "System")
AUTOMATIC = Text("自动", "automatic")
HIDDEN = ("Gateway", "startEvent", "endEvent", "callActivity", "subProcess", "boundaryEvent")


@dataclass(frozen=True)
class Entry:
    """One line of the history. `state`: done, current or bad."""

    title: Text
    who: Text | None
    at: datetime | None
    detail: Text | None
    state: str = "done"


def entries(history: Iterable[Any]) -> list[Entry]:
    """The rows that people care about, oldest first; gateways and the like are left to the drawing."""
    return [entry for row in history if (entry := _entry(row)) is not None]


def _entry(row: Any) -> Entry | None:
    who = SYSTEM if row.actor in ("", "system") else _who(row.actor, row.did.get("on_behalf_of"))
    if row.kind in ("passed", "done"):
        if row.shape.endswith(HIDDEN):
            return None
        return Entry(row.label, who if row.kind == "done" else AUTOMATIC, row.at, _detail(row))
    said = Text(row.did["zh"], row.did["en"]) if "zh" in row.did and "en" in row.did else None
    if row.kind in ("by_itself", "counted"):
        return Entry(row.label, who if row.kind == "by_itself" else AUTOMATIC, row.at, said)
    if row.kind in _ANSWERED:
        return Entry(_ANSWERED[row.kind], who, row.at, _detail(row))
    words = _OTHERS.get(row.kind)
    if words is None:
        return None
    return Entry(words, who, row.at, said, "bad" if row.kind == "incident" else "done")


def _who(actor: str, behalf: object) -> Text:
    """`周宁（代王敏）`: who did it, and in whose place."""
    return Text(f"{actor}（代{behalf}）", f"{actor} (for {behalf})") if behalf else Text(actor, actor)


_OTHERS = {
    "started": Text("发起流程", "Started"),
    "claimed": Text("领取任务", "Claimed"),
    "released": Text("退还任务", "Put back"),
    "handed_on": Text("转办", "Handed on"),
    "handed_over": Text("移交", "Handed over"),
    "asked": Text("委派", "Asked for an answer"),
    "answered": Text("答复委派", "Answered"),
    "called_back": Text("收回委派", "Called back"),
    "copied": Text("抄送", "Copied"),
    "read": Text("已阅", "Read"),
    "commented": Text("发表意见", "Commented"),
    "urged": Text("催办", "Urged"),
    "late": Text("超时提醒", "Overdue"),
    "escalated": Text("超时升级", "Escalated"),
    "reminded": Text("提醒", "Reminder"),
    "incident": Text("流程受阻", "Stopped"),
    "retried": Text("重新尝试", "Tried again"),
    "skipped": Text("跳过受阻的步骤", "Stopped step skipped"),
    "corrected": Text("更正数据", "Data corrected"),
    "suspended": Text("暂停流程", "Suspended"),
    "resumed": Text("恢复流程", "Resumed"),
    "migrated": Text("迁移到新版本", "Moved to another version"),
    "migration_undone": Text("撤回迁移", "Move undone"),
    "returned": Text("退回", "Sent back"),
    "withdrawn": Text("申请人撤回", "Withdrawn by the applicant"),
    "taken_back": Text("拿回", "Taken back"),
    "came_back": Text("直接回到退回人", "Straight back to who returned it"),
    "finished": Text("流程办结", "Finished"),
    "cancelled": Text("流程撤销", "Cancelled"),
    "signer_added": Text("加签", "Others asked"),
    "signer_taken_off": Text("减签", "Taken off"),
}
_ANSWERED = {
    "signer_answered": Text("加签人表态", "Answer of who was added"),
    "held": Text("已表态，等待后加签", "Decided; waits for those added"),
}


def _detail(row: Any) -> Text | None:
    """Which rule fired, or what was decided and why."""
    if "rules" in row.did:
        rules = [_rule(rule) for rule in row.did["rules"]]
        return Text("；".join(r.zh for r in rules), "; ".join(r.en for r in rules)) if rules else None
    outcome = OUTCOMES.get(row.outcome) or (Text(row.outcome, row.outcome) if row.outcome else None)
    if outcome is None:
        return Text(row.opinion, row.opinion) if row.opinion else None
    if not row.opinion:
        return outcome
    return Text(f"{outcome.zh}：{row.opinion}", f"{outcome.en}: {row.opinion}")


def _rule(rule: Mapping[str, Any]) -> Text:
    """The rule's row and its author's words: the description, and in English its first annotation if it has one."""
    outputs: dict[str, object] = rule.get("outputs") or {}
    words = rule.get("description") or " ".join(str(value) for value in outputs.values())
    english = next(iter(rule.get("annotations") or ()), words)
    return Text(f"规则 {rule.get('index')}：{words}", f"Rule {rule.get('index')}: {english}")


def waiting(label: Text, who: Text | None) -> Entry:
    """Where it stands now, and with whom; nobody means: with the world."""
    return Entry(label, who, None, None, "current")
