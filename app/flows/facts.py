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


class TaskHandedOn(
    Fact, name="flow.task_handed_on", zh="转办任务", en="Task handed on", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str
    to_id: int
    to_name: str
    reason: str
    for_id: int | None
    for_name: str | None
    """In whose place it was done; None where it was their own act."""


class TaskAsked(
    Fact, name="flow.task_asked", zh="委派任务", en="Another asked for an answer", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str
    to_id: int
    to_name: str
    question: str
    for_id: int | None
    for_name: str | None


class TaskAnswered(
    Fact, name="flow.task_answered", zh="答复委派", en="Answer given", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str
    owner_id: int
    answer: str


class TaskCalledBack(
    Fact, name="flow.task_called_back", zh="收回委派", en="Task called back", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str
    from_id: int
    for_id: int | None
    for_name: str | None


class WorkHandedOver(
    Fact, name="flow.work_handed_over", zh="离职移交", en="Work handed over", log_class=LogClass.APPROVAL
):
    user_id: int
    user_name: str
    successor_id: int
    successor_name: str
    reason: str
    moved: list[int]
    """Tasks that the successor has now."""
    released: list[int]
    """Tasks that were claimed and went back to the holders of their role: the successor may not have them."""
    stuck: list[dict[str, Any]]
    """Tasks that stay where they are: `task_id`, `instance_id`, `title`, `why_zh`, `why_en`."""


class SubstituteSet(
    Fact, name="flow.substitute_set", zh="设定代理人", en="Substitute set", log_class=LogClass.CONFIGURATION
):
    substitution_id: int
    user_id: int
    user_name: str
    substitute_id: int
    substitute_name: str
    flow_key: str | None
    valid_from: datetime
    valid_until: datetime
    reason: str


class SubstituteEnded(
    Fact,
    name="flow.substitute_ended",
    zh="结束代理",
    en="Substitution ended",
    log_class=LogClass.CONFIGURATION,
):
    substitution_id: int
    user_id: int
    substitute_id: int
    reason: str


class FlowCopied(Fact, name="flow.copied", zh="抄送", en="Copied", log_class=LogClass.APPROVAL):
    instance_id: int
    user_ids: list[int]
    note: str


class CopyRead(Fact, name="flow.copy_read", zh="已阅", en="Copy read", log_class=LogClass.APPROVAL):
    instance_id: int
    copy_id: int


class CommentWritten(
    Fact, name="flow.comment_written", zh="发表意见", en="Comment written", log_class=LogClass.APPROVAL
):
    """`digests`: of the files that came with it."""

    instance_id: int
    comment_id: int
    said: str
    digests: list[str]


class CommentWithdrawn(
    Fact, name="flow.comment_withdrawn", zh="撤回意见", en="Comment withdrawn", log_class=LogClass.APPROVAL
):
    instance_id: int
    comment_id: int


class TaskUrged(Fact, name="flow.task_urged", zh="催办", en="Task urged", log_class=LogClass.APPROVAL):
    instance_id: int
    task_id: int
    node: str
    note: str


class TaskTimedOut(
    Fact, name="flow.task_timed_out", zh="任务超时", en="Task timed out", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str
    due_at: datetime | None
    how: str
    """`remind`, `escalate`, `pass`, `refuse`; `failed` when it could not be completed and stays open."""
    time: int
    """Which time it was."""
    outcome: str | None


class CalendarChanged(
    Fact,
    name="flow.calendar_changed",
    zh="更改工作日历",
    en="Working calendar changed",
    log_class=LogClass.CONFIGURATION,
):
    holidays: list[str]
    working: list[str]
    as_the_week: list[str]
    """Days that the calendar says nothing of any more."""


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
    for_id: int | None = None
    for_name: str | None = None
    """In whose place it was done (代理)."""


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


class FlowSuspended(
    Fact, name="flow.suspended", zh="暂停流程", en="Flow suspended", log_class=LogClass.APPROVAL
):
    instance_id: int
    key: str
    business_key: str
    reason: str


class FlowResumed(Fact, name="flow.resumed", zh="恢复流程", en="Flow resumed", log_class=LogClass.APPROVAL):
    instance_id: int
    key: str
    business_key: str
    stopped: bool
    """Whether it still stands as an incident."""


class FlowCancelled(
    Fact, name="flow.cancelled", zh="撤销流程", en="Flow cancelled", log_class=LogClass.APPROVAL
):
    instance_id: int
    key: str
    business_key: str
    reason: str
    tasks: list[str]
    """The shapes whose open tasks went with it."""


class StepSkipped(
    Fact,
    name="flow.step_skipped",
    zh="跳过受阻的步骤",
    en="Stopped step skipped",
    log_class=LogClass.APPROVAL,
):
    instance_id: int
    incident_id: int
    process: str
    node_id: str
    reason: str
    outputs: dict[str, Any] | None
    """What it is taken to have brought."""
    solved: bool


class DataCorrected(
    Fact,
    name="flow.data_corrected",
    zh="更正流程数据",
    en="Data of a flow corrected",
    log_class=LogClass.APPROVAL,
):
    instance_id: int
    incident_id: int
    changes: list[dict[str, Any]]
    """`name`, `old`, `new` of each; `old` is None where there was nothing."""
    reason: str
    solved: bool


class FlowMigrated(
    Fact,
    name="flow.migrated",
    zh="流程迁移到新版本",
    en="Flow moved to another version",
    log_class=LogClass.FLOW_PUBLISHING,
):
    instance_id: int
    key: str
    business_key: str
    from_version: int
    to_version: int
    definition_sha256: str
    mapping: dict[str, str]
    """Ids of shapes: old → new."""


class MigrationUndone(
    Fact,
    name="flow.migration_undone",
    zh="撤回流程迁移",
    en="Move to another version undone",
    log_class=LogClass.FLOW_PUBLISHING,
):
    instance_id: int
    key: str
    business_key: str
    from_version: int
    to_version: int


class StepPassed(
    Fact, name="flow.step_passed", zh="步骤自动通过", en="Step passed by itself", log_class=LogClass.APPROVAL
):
    instance_id: int
    node: str
    why: str
    """`repeat`, `own` or `nobody`: which of the shape's properties said so."""
    person_id: int | None
    """In whose name; None where nobody was found."""


class SignersAdded(
    Fact, name="flow.signers_added", zh="加签", en="Signers added", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str
    place: str
    """`before`, `after`, or `into` a vote."""
    people: list[int]
    reason: str


class SignerTakenOff(
    Fact, name="flow.signer_taken_off", zh="减签", en="Signer taken off", log_class=LogClass.APPROVAL
):
    instance_id: int
    task_id: int
    node: str
    person_id: int
    reason: str
    finished: bool


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


class FormFileSent(
    Fact, name="flow.form_file_sent", zh="上传表单附件", en="File of a form sent", log_class=LogClass.APPROVAL
):
    handle: str
    file_name: str
    digest: str
    """Of the clear content; what is stored is encrypted."""
    bytes: int


class FormFileViewed(
    Fact,
    name="flow.form_file_viewed",
    zh="查看表单附件",
    en="File of a form opened",
    log_class=LogClass.APPROVAL,
):
    handle: str
    file_name: str
    instance_id: int | None


class FormFilesCleared(
    Fact,
    name="flow.form_files_cleared",
    zh="清除未提交表单的附件",
    en="Files of forms never sent cleared",
    log_class=LogClass.APPROVAL,
):
    handles: list[str]
    kept_days: int
