"""Voting: whose seat a task is, who was added to it, and what waits for them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flow_task", sa.Column("voter_id", sa.Integer(), nullable=True))
    op.add_column("flow_task", sa.Column("parent_id", sa.Integer(), nullable=True))
    op.add_column("flow_task", sa.Column("place", sa.String(length=10), nullable=True))
    op.add_column("flow_task", sa.Column("added", sa.Integer(), nullable=True))
    op.add_column("flow_task", sa.Column("held", sa.JSON(none_as_null=True), nullable=True))
    op.create_index(op.f("ix_flow_task_parent_id"), "flow_task", ["parent_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_flow_task_parent_id"), table_name="flow_task")
    for name in ("held", "added", "place", "parent_id", "voter_id"):
        op.drop_column("flow_task", name)
