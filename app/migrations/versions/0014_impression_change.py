"""Changes of impressions, asked for, agreed and witnessed; openings of sealed samples."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "impression_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("impression_id", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("seals", sa.String(length=10), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_name", sa.String(length=100), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("agreed_by_id", sa.Integer(), nullable=True),
        sa.Column("agreed_by_name", sa.String(length=100), nullable=False),
        sa.Column("agreed_at", Moment(), nullable=True),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["impression_id"], ["impression.id"], name=op.f("fk_impression_change_impression_id_impression")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user_account.id"], name=op.f("fk_impression_change_asked_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["agreed_by_id"], ["user_account.id"], name=op.f("fk_impression_change_agreed_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impression_change")),
    )
    op.create_index(
        "uq_impression_change_open",
        "impression_change",
        ["impression_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "impression_opening",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("impression_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_name", sa.String(length=100), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("agreed_by_id", sa.Integer(), nullable=True),
        sa.Column("agreed_by_name", sa.String(length=100), nullable=False),
        sa.Column("agreed_at", Moment(), nullable=True),
        sa.Column("open_until", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["impression_id"], ["impression.id"], name=op.f("fk_impression_opening_impression_id_impression")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user_account.id"], name=op.f("fk_impression_opening_asked_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["agreed_by_id"],
            ["user_account.id"],
            name=op.f("fk_impression_opening_agreed_by_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impression_opening")),
    )
    op.create_index(op.f("ix_impression_opening_impression_id"), "impression_opening", ["impression_id"])


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
