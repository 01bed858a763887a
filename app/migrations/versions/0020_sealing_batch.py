"""Sealings that were ordered together."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sealing") as table:
        table.add_column(sa.Column("batch", sa.String(length=32), nullable=True))
        table.create_index(op.f("ix_sealing_batch"), ["batch"])


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
