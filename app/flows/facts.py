"""What the flows make true. Pure."""

from datetime import datetime
from typing import Any

from app.fact import Fact, LogClass


class FlowsLoaded(
    Fact,
    name="flow.loaded",
    zh="载入流程文件",
    en="Flows loaded from files",
    log_class=LogClass.FLOW_PUBLISHING,
):
    published: list[str]
    """`key vN sha256` of each version that was new; empty when nothing had changed."""


class FlowStarted(Fact, name="flow.started", zh="发起流程", en="Flow started", log_class=LogClass.APPROVAL):
    instance_id: int
    key: str
    version: int
    definition_sha256: str
    business_key: str
    title: str


class TaskClaimed(
    Fact, name="flow.task_claimed", zh="领取任务", en="Task claimed", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str


class TaskReleased(
    Fact, name="flow.task_released", zh="退还任务", en="Task put back", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str


class TaskCompleted(
    Fact, name="flow.task_completed", zh="办理任务", en="Task completed", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    key: str
    node: str
    business_key: str
    outcome: str | None
    opinion: str | None
    form: dict[str, Any]
    rules: list[dict[str, Any]]
    """The rule tables that were asked in this step, and the rules that fired."""
    finished: bool


class MessageDelivered(
    Fact,
    name="flow.message_delivered",
    zh="流程收到消息",
    en="Message delivered",
    log_class=LogClass.APPROVAL,
):
    message: str
    correlation: str
    instance_id: int | None
    """None while no instance waits for it: it is kept."""
    early: bool
    repeated: bool
    stopped: bool
    """Whether the step it led to could not be done; the instance stands as an incident."""


class TimerFired(
    Fact, name="flow.timer_fired", zh="流程定时到点", en="Timer fired", log_class=LogClass.APPROVAL
):
    instance_id: int
    node: str
    due_at: datetime
    stopped: bool


class FlowReminded(
    Fact, name="flow.reminded", zh="流程提醒", en="Reminder given", log_class=LogClass.APPROVAL
):
    instance_id: int
    business_key: str
    role: str
    text_zh: str
    text_en: str


class IncidentRetried(
    Fact,
    name="flow.incident_retried",
    zh="重试受阻的流程",
    en="Stopped flow tried again",
    log_class=LogClass.APPROVAL,
):
    instance_id: int
    incident_id: int
    solved: bool


class FlowSentBack(
    Fact, name="flow.sent_back", zh="退回流程", en="Flow sent back", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    key: str
    business_key: str
    node: str
    to: str
    reason: str
    mode: str
    """`through` or `straight`."""
    called_off: int
    """How many tokens lay after the target."""


class FlowWithdrawn(
    Fact, name="flow.withdrawn", zh="撤回流程", en="Flow withdrawn", log_class=LogClass.APPROVAL
):
    instance_id: int
    key: str
    business_key: str
    to: str
    reason: str
    called_off: int


class TaskTakenBack(
    Fact, name="flow.task_taken_back", zh="拿回任务", en="Task taken back", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    key: str
    business_key: str
    node: str
    called_off: int
