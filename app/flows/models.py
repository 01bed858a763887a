"""The tables of the flows: definitions with versions, instances, tasks, history, and what is waited for."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base
from app.flows import models_comments as models_comments  # noqa: PLC0414 its tables are known with these
from app.flows import models_forms as models_forms  # noqa: PLC0414 its tables are known with these
from app.flows import models_hands as models_hands  # noqa: PLC0414 its tables are known with these
from app.flows import models_inbox as models_inbox  # noqa: PLC0414 its tables are known with these
from app.flows.rules import EVERYWHERE


class FlowDefinition(Base):
    """One published version of a diagram with its rule tables and forms. Never changed once written."""

    __tablename__ = "flow_definition"
    __table_args__ = (sa.UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    key: Mapped[str] = mapped_column(sa.String(80))
    version: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    """Over the diagram, its tables and forms, and those of every diagram it calls."""
    label_zh: Mapped[str] = mapped_column(sa.String(200))
    label_en: Mapped[str] = mapped_column(sa.String(200))
    bpmn: Mapped[str] = mapped_column(sa.Text)
    tables: Mapped[dict[str, Any]]
    """Rule tables: file name → DMN text."""
    forms: Mapped[dict[str, Any]]
    """Forms: name → definition as in the JSON file."""
    calls: Mapped[dict[str, Any]]
    """Every diagram called, directly or not: key → id of the pinned definition."""
    origin: Mapped[str] = mapped_column(sa.String(20))
    """`files` (the folder in `workflows/`) or `studio` (published in the browser)."""
    published_at: Mapped[datetime]
    published_by_id: Mapped[int | None] = mapped_column(default=None)
    published_by_name: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    note: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    """What whoever published it says of the change."""
    effective_from: Mapped[datetime | None] = mapped_column(default=None)
    """From when the flow is started by it; None: from when it was published."""
    follows: Mapped[int | None] = mapped_column(default=None)
    """The version whose texts these are, where this one was made only because a flow that it calls has another
    version; None for one that somebody made."""
    called_off_at: Mapped[datetime | None] = mapped_column(default=None)
    """It never came into force: it was called off before it would have."""
    scenarios: Mapped[dict[str, Any]] = mapped_column(default_factory=dict[str, Any], server_default="{}")
    """Example stories: name → YAML text. Those of a version from files lie beside the files."""


class FlowInstance(Base):
    """One running or finished flow. `state` is the token engine's bytes; `revision` counts its steps."""

    __tablename__ = "flow_instance"
    __table_args__ = (sa.Index("ix_flow_instance_business_key", "business_key"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    definition_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_definition.id"))
    key: Mapped[str] = mapped_column(sa.String(80))
    business_key: Mapped[str] = mapped_column(sa.String(120))
    reference: Mapped[str | None] = mapped_column(sa.String(80))
    """The number people know the subject by, where it has one."""
    title: Mapped[str] = mapped_column(sa.String(200))
    glyph: Mapped[str | None] = mapped_column(sa.String(40))
    status: Mapped[str] = mapped_column(sa.String(20))
    """`running`, `suspended` (an operator holds it), `incident` (an automatic step could not be done), `finished`,
    `cancelled`. The last two are over: `rules.OVER`."""
    state: Mapped[bytes] = mapped_column(sa.LargeBinary)
    revision: Mapped[int]
    initiator_id: Mapped[int | None] = mapped_column(index=True)
    initiator_name: Mapped[str] = mapped_column(sa.String(120))
    unit_id: Mapped[int | None]
    unit_name: Mapped[str] = mapped_column(sa.String(200))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class FlowTask(Base):
    """A task that a person was or is asked to do. `token` is its name inside the token engine."""

    __tablename__ = "flow_task"
    __table_args__ = (
        sa.UniqueConstraint("instance_id", "token"),
        sa.Index("ix_flow_task_status_assignee_id", "status", "assignee_id"),
        sa.Index("ix_flow_task_done_by_id", "done_by_id", "done_at"),
        sa.Index(
            "ix_flow_task_due_at",
            "due_at",
            postgresql_where=sa.text("status = 'open'"),
            sqlite_where=sa.text("status = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"), index=True)
    definition_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_definition.id"))
    """The definition whose diagram the task stands in: its own flow's, or that of a flow it calls."""
    token: Mapped[str] = mapped_column(sa.String(36))
    node: Mapped[str] = mapped_column(sa.String(120))
    label_zh: Mapped[str] = mapped_column(sa.String(200))
    label_en: Mapped[str] = mapped_column(sa.String(200))
    form: Mapped[str] = mapped_column(sa.String(120))
    page: Mapped[str | None] = mapped_column(sa.String(200))
    """A page of another house where this task is done, instead of a form here."""
    role: Mapped[str | None] = mapped_column(sa.String(40))
    notice_zh: Mapped[str | None] = mapped_column(sa.Text)
    notice_en: Mapped[str | None] = mapped_column(sa.Text)
    """Why the task came, where there is something to say: the reason of a return, of a failed making."""
    data: Mapped[dict[str, Any]]
    """What the instance knew when the task opened; forms and panels read it."""
    status: Mapped[str] = mapped_column(sa.String(20))
    """`open`, `held` (decided, waits for those added after it), `done`, `cancelled`, `returned` (whoever held it sent
    the flow back)."""
    assignee_id: Mapped[int | None]
    assignee_name: Mapped[str | None] = mapped_column(sa.String(120))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    done_by_id: Mapped[int | None] = mapped_column(default=None)
    done_by_name: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    outcome: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    opinion: Mapped[str | None] = mapped_column(sa.Text, default=None)
    voter_id: Mapped[int | None] = mapped_column(default=None)
    """Whose word is asked for: the seat of a 会签, or somebody added (加签)."""
    parent_id: Mapped[int | None] = mapped_column(default=None, index=True)
    """The task whose holder added this one; the token engine knows nothing of it."""
    place: Mapped[str | None] = mapped_column(sa.String(10), default=None)
    """Of an added task: `before` its parent may be done, or `after` it was."""
    added: Mapped[int | None] = mapped_column(default=None)
    """How many people were ever added to this task; None for nearly all."""
    held: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True), default=None)
    """The form of a task that is decided, and waits for those added after it."""
    own_hand: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """本人亲办 (B4): nobody stands in, nothing passes it on."""
    owner_id: Mapped[int | None] = mapped_column(default=None)
    """Whose decision it stays while somebody else is asked for an answer (委派); None while nobody is."""
    owner_name: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    timeout_at: Mapped[datetime | None] = mapped_column(default=None, index=True)
    """When its timeout acts next; None: never, or not any more."""
    timeouts: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it has acted."""


class FlowTaskCandidate(Base):
    """Under whom an open task is filed: a person, or a role at one unit. A role at a unit reaches the units
    below it, so a task is filed once for each unit above its own; removed when the task is over."""

    __tablename__ = "flow_task_candidate"
    __table_args__ = (
        sa.Index("ix_flow_task_candidate_role_unit_id", "role", "unit_id", "task_id"),
        sa.Index("ix_flow_task_candidate_user_id", "user_id", "task_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    task_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_task.id"), index=True)
    role: Mapped[str | None] = mapped_column(sa.String(40), default=None)
    unit_id: Mapped[int] = mapped_column(default=EVERYWHERE)
    user_id: Mapped[int | None] = mapped_column(default=None)


class FlowEvent(Base):
    """The history that people read: one row for each thing that happened. Only ever appended to."""

    __tablename__ = "flow_event"
    __table_args__ = (
        sa.Index("ix_flow_event_instance_id", "instance_id", "id"),
        sa.Index(
            "ix_flow_event_reminded",
            "id",
            postgresql_where=sa.text("kind = 'reminded'"),
            sqlite_where=sa.text("kind = 'reminded'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(sa.String(30))
    """`started`, `passed`, `done`, `claimed`, `released`, `message`, `reminded`, `incident`, `retried`, `skipped`,
    `corrected`, `suspended`, `resumed`, `migrated`, `migration_undone`, `finished`, `cancelled`;
    `counted`, `by_itself`, `signer_added`, `signer_taken_off`, `signer_answered`, `held` (votes and added people);
    `returned`, `withdrawn`, `taken_back`, `came_back`; `handed_on`, `asked`, `answered`, `called_back`, `handed_over`,
    `copied`, `read`, `urged`, `late`, `escalated`."""
    process: Mapped[str] = mapped_column(sa.String(80))
    node: Mapped[str] = mapped_column(sa.String(120))
    shape: Mapped[str] = mapped_column(sa.String(40))
    label_zh: Mapped[str] = mapped_column(sa.String(200))
    label_en: Mapped[str] = mapped_column(sa.String(200))
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(sa.String(120))
    outcome: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    opinion: Mapped[str | None] = mapped_column(sa.Text, default=None)
    detail: Mapped[dict[str, Any]] = mapped_column(default_factory=dict[str, Any])


class MessageSubscription(Base):
    """An instance waits at `token` for the message `name` about exactly this `correlation`."""

    __tablename__ = "flow_message_subscription"
    __table_args__ = (
        sa.UniqueConstraint("instance_id", "token"),
        sa.Index("ix_flow_message_subscription_name", "name", "correlation"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"))
    token: Mapped[str] = mapped_column(sa.String(36))
    process: Mapped[str] = mapped_column(sa.String(80))
    node: Mapped[str] = mapped_column(sa.String(120))
    name: Mapped[str] = mapped_column(sa.String(120))
    correlation: Mapped[str] = mapped_column(sa.String(200))
    since: Mapped[datetime]


class MessageInbox(Base):
    """A message that came. Unique: the same one is taken once, however often it is sent; kept until waited for."""

    __tablename__ = "flow_message_inbox"
    __table_args__ = (
        sa.UniqueConstraint("name", "correlation", "message_id"),
        sa.Index("ix_flow_message_inbox_delivered_at", "delivered_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str] = mapped_column(sa.String(120))
    correlation: Mapped[str] = mapped_column(sa.String(200))
    message_id: Mapped[str] = mapped_column(sa.String(120))
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    instance_id: Mapped[int | None] = mapped_column(default=None)
    delivered_at: Mapped[datetime | None] = mapped_column(default=None)


class FlowTimer(Base):
    """An instance must be woken at `due_at`. The database is the truth; the scheduler only looks here."""

    __tablename__ = "flow_timer"
    __table_args__ = (
        sa.UniqueConstraint("instance_id", "token"),
        sa.Index("ix_flow_timer_due_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"))
    token: Mapped[str] = mapped_column(sa.String(36))
    node: Mapped[str] = mapped_column(sa.String(120))
    due_at: Mapped[datetime]


class FlowReturn(Base):
    """One time that an instance was sent, withdrawn or taken back: what that made undone, and, where it goes straight
    back later, the state from before."""

    __tablename__ = "flow_return"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"), index=True)
    event_id: Mapped[int]
    """Its place in the history: what was done before it, and lies in `moved`, does not count as done."""
    at: Mapped[datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(sa.String(120))
    mode: Mapped[str] = mapped_column(sa.String(20))
    """`through` (all steps again) or `straight` (back to the one who returned it)."""
    reason: Mapped[str] = mapped_column(sa.Text)
    moved: Mapped[dict[str, Any]] = mapped_column(default_factory=dict[str, Any])
    """`undone`: the shapes as [process, node]; `left`: the tokens that were called off; `token`: where it was given."""
    kept: Mapped[bytes | None] = mapped_column(sa.LargeBinary, default=None)
    """The state from before, while it may be wanted."""
    came_back_at: Mapped[datetime | None] = mapped_column(default=None)


class FlowIncident(Base):
    """An automatic step that could not be done: where, why, and what set it off, so that it can be tried again."""

    __tablename__ = "flow_incident"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"), index=True)
    at: Mapped[datetime]
    process: Mapped[str] = mapped_column(sa.String(80))
    node: Mapped[str] = mapped_column(sa.String(200))
    code: Mapped[str] = mapped_column(sa.String(120))
    text_zh: Mapped[str] = mapped_column(sa.Text)
    text_en: Mapped[str] = mapped_column(sa.Text)
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("flow_message_inbox.id"))
    """The message whose delivery it was; None when a timer set it off."""
    solved_at: Mapped[datetime | None] = mapped_column(default=None)
    node_id: Mapped[str] = mapped_column(sa.String(120), default="")
    """The id of the shape; empty where the fault lies at none."""
    visit: Mapped[int] = mapped_column(default=1)
    """Which time it was, within the step that failed, that this shape was come to."""
    tries: Mapped[int] = mapped_column(default=0)
    """How often it has been tried again by itself."""
    next_try_at: Mapped[datetime | None] = mapped_column(default=None, index=True)
    """When it will be; None: it waits for a person."""


class FlowRequest(Base):
    """A request that was answered, under the key that whoever sent it gave it: sent again, it gets the same answer."""

    __tablename__ = "flow_request"
    __table_args__ = (sa.UniqueConstraint("person", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    person: Mapped[str] = mapped_column(sa.String(40))
    """`person/7`, `station/2`, `system`: a key is its sender's own."""
    key: Mapped[str] = mapped_column(sa.String(120))
    command: Mapped[str] = mapped_column(sa.String(120))
    digest: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 over what was asked."""
    fact: Mapped[str] = mapped_column(sa.String(80))
    response: Mapped[dict[str, Any]]
    """The Fact's fields."""
    at: Mapped[datetime] = mapped_column(index=True)


class FlowMigration(Base):
    """An instance was moved to another version: what it was before, until it has gone on."""

    __tablename__ = "flow_migration"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"), index=True)
    from_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_definition.id"))
    to_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_definition.id"))
    mapping: Mapped[dict[str, Any]]
    """Ids of shapes: old → new."""
    state: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    """The state before; None once the instance has moved on, for then nobody can go back."""
    revision: Mapped[int]
    """The instance's revision after the migration: while it is still that, it can be undone."""
    at: Mapped[datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(sa.String(120))
    undone_at: Mapped[datetime | None] = mapped_column(default=None)
