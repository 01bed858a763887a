"""Seals filed with the authority (备案)."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seal_filing",
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("authority", sa.String(length=100), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_seal_filing_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_filing_seal_id_seal")),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_seal_filing")),
        sa.UniqueConstraint("number", name=op.f("uq_seal_filing_number")),
    )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
