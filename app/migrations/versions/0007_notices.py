"""Notices: what each person was told, how far was read, what each wishes, what is sent outside."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SOURCES = {
    "task": "flow_task",
    "event": "flow_event",
    "handing": "flow_handing",
    "copy": "flow_copy",
    "nudge": "flow_nudge",
    "incident": "flow_incident",
    "place": "flow_substitution",
}


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("step_zh", sa.String(length=200), nullable=False),
        sa.Column("step_en", sa.String(length=200), nullable=False),
        sa.Column("who", sa.String(length=120), nullable=False),
        sa.Column("said_zh", sa.Text(), nullable=False),
        sa.Column("said_en", sa.Text(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("read_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_notice_user_id_key")),
    )
    op.create_index("ix_notice_user_id_read_at", "notice", ["user_id", "read_at", "id"])
    op.create_index("ix_notice_task_id", "notice", ["task_id", "read_at"])
    op.create_index(op.f("ix_notice_made_at"), "notice", ["made_at"])
    op.create_table(
        "notice_cursor",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=True),
        sa.Column("mark_xid", sa.BigInteger(), nullable=True),
        sa.Column("marked_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_notice_cursor")),
    )
    op.create_table(
        "notice_seen",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("source", "row_id", name=op.f("pk_notice_seen")),
    )
    op.create_table(
        "notice_profile",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("mail", sa.String(length=254), nullable=False),
        sa.Column("webhook", sa.String(length=500), nullable=False),
        sa.Column("webhook_number", sa.Integer(), nullable=False),
        sa.Column("pace", sa.String(length=10), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_notice_profile_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notice_profile")),
    )
    op.create_table(
        "notice_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_notice_delivery_notice_id_notice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_delivery")),
        sa.UniqueConstraint("notice_id", "channel", name=op.f("uq_notice_delivery_notice_id_channel")),
    )
    op.create_index("ix_notice_delivery_status_due_at", "notice_delivery", ["status", "due_at"])
    op.create_table(
        "notice_channel",
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("ok_at", Moment(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_at", Moment(), nullable=True),
        sa.Column("rests_until", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_notice_channel")),
    )
    # what happened before there were notices is not told
    for source, table in SOURCES.items():
        top = sa.select(sa.literal(source), sa.func.coalesce(sa.func.max(sa.column("id")), 0))
        cursor = sa.table("notice_cursor", sa.column("source"), sa.column("floor"))
        op.execute(sa.insert(cursor).from_select(["source", "floor"], top.select_from(sa.table(table))))


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
