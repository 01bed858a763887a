"""Ceremonies of the master keys, and the sealed keys that custodians restore."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_ceremony",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("share_set", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("custodians", sa.JSON(), nullable=False),
        sa.Column("alg", sa.String(length=60), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("held_at", Moment(), nullable=False),
        sa.Column("rehearsed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_ceremony")),
    )
    op.create_table(
        "key_backup",
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("ceremony_id", sa.Integer(), nullable=True),
        sa.Column("alg", sa.String(length=60), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("public", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ceremony_id"], ["key_ceremony.id"], name=op.f("fk_key_backup_ceremony_id_key_ceremony")
        ),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_key_backup")),
    )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
