"""Seals across the edges of all pages (骑缝章)."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sealing", sa.Column("straddle_pt", sa.Double(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
