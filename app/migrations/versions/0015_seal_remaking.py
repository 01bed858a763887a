"""Seals that are made again: lost, ending or damaged ones."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seal_remaking",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("asked_by_name", sa.String(length=100), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("agreed_by_id", sa.Integer(), nullable=True),
        sa.Column("agreed_by_name", sa.String(length=100), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("new_seal_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_remaking_seal_id_seal")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user_account.id"], name=op.f("fk_seal_remaking_asked_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["agreed_by_id"], ["user_account.id"], name=op.f("fk_seal_remaking_agreed_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["new_seal_id"], ["seal.id"], name=op.f("fk_seal_remaking_new_seal_id_seal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_remaking")),
        sa.UniqueConstraint("new_seal_id", name=op.f("uq_seal_remaking_new_seal_id")),
    )
    op.create_index(
        "uq_seal_remaking_open",
        "seal_remaking",
        ["seal_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_seal_remaking_expiring",
        "seal_remaking",
        ["seal_id"],
        unique=True,
        sqlite_where=sa.text("cause = 'expiring' AND asked_by_id IS NULL"),
        postgresql_where=sa.text("cause = 'expiring' AND asked_by_id IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
