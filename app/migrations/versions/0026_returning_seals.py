"""Seals that come back and are handed out again."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seal_issue", sa.Column("returned_at", Moment(), nullable=True))
    op.add_column("seal_issue", sa.Column("returned_reason", sa.String(length=500), nullable=True))
    op.add_column("seal_issue", sa.Column("returned_by_name", sa.String(length=100), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
