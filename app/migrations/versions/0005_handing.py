"""Who stands in for whom: substitutions, tasks handed on, copies, nudges, timeouts, and the working calendar."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flow_task", sa.Column("own_hand", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("flow_task", sa.Column("owner_id", sa.Integer(), nullable=True))
    op.add_column("flow_task", sa.Column("owner_name", sa.String(length=120), nullable=True))
    op.add_column("flow_task", sa.Column("timeout_at", Moment(), nullable=True))
    op.add_column("flow_task", sa.Column("timeouts", sa.Integer(), server_default="0", nullable=False))
    op.create_index(op.f("ix_flow_task_timeout_at"), "flow_task", ["timeout_at"], unique=False)
    op.create_table(
        "flow_substitution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("substitute_id", sa.Integer(), nullable=False),
        sa.Column("flow_key", sa.String(length=80), nullable=True),
        sa.Column("valid_from", Moment(), nullable=False),
        sa.Column("valid_until", Moment(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("set_by_name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_flow_substitution_user_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["substitute_id"],
            ["user_account.id"],
            name=op.f("fk_flow_substitution_substitute_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_substitution")),
    )
    op.create_index(
        "ix_flow_substitution_substitute_id", "flow_substitution", ["substitute_id", "valid_until"]
    )
    op.create_index("ix_flow_substitution_user_id", "flow_substitution", ["user_id", "valid_until"])
    op.create_table(
        "flow_handing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=True),
        sa.Column("from_name", sa.String(length=120), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("to_name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["flow_task.id"], name=op.f("fk_flow_handing_task_id_flow_task")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_handing")),
    )
    op.create_index("ix_flow_handing_to_id", "flow_handing", ["to_id", "task_id"])
    op.create_index(op.f("ix_flow_handing_task_id"), "flow_handing", ["task_id"])
    op.create_table(
        "flow_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("label_zh", sa.String(length=200), nullable=False),
        sa.Column("label_en", sa.String(length=200), nullable=False),
        sa.Column("from_name", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("read_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_flow_copy_instance_id_flow_instance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_copy")),
    )
    op.create_index("ix_flow_copy_user_id", "flow_copy", ["user_id", "read_at", "id"])
    op.create_index(op.f("ix_flow_copy_instance_id"), "flow_copy", ["instance_id"])
    op.create_table(
        "flow_nudge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["flow_task.id"], name=op.f("fk_flow_nudge_task_id_flow_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_nudge")),
    )
    op.create_index("ix_flow_nudge_task_id", "flow_nudge", ["task_id", "id"])
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
