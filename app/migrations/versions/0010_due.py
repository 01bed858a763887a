"""What is due and what was reminded is found along an index."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    open_, reminded = sa.text("status = 'open'"), sa.text("kind = 'reminded'")
    op.create_index(
        "ix_flow_task_due_at", "flow_task", ["due_at"], postgresql_where=open_, sqlite_where=open_
    )
    op.create_index(
        "ix_flow_event_reminded", "flow_event", ["id"], postgresql_where=reminded, sqlite_where=reminded
    )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
