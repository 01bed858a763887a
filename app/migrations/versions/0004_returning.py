"""Sending a flow back: what each return made undone, and the state that it may come back to."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flow_return",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("kept", sa.LargeBinary(), nullable=True),
        sa.Column("came_back_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_flow_return_instance_id_flow_instance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_return")),
    )
    op.create_index(op.f("ix_flow_return_instance_id"), "flow_return", ["instance_id"], unique=False)


def downgrade() -> None:
    op.drop_table("flow_return")
