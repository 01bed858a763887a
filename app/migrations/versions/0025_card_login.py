"""Logins that a card proves."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_login",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("card_serial", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.String(length=64), nullable=True),
        sa.Column("order_json", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_card_login_user_id_user_account")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["card_job.id"], name=op.f("fk_card_login_job_id_card_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_login")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_card_login_token_hash")),
        sa.UniqueConstraint("job_id", name=op.f("uq_card_login_job_id")),
    )
    op.create_index(op.f("ix_card_login_card_serial"), "card_login", ["card_serial"])
    op.create_index(op.f("ix_card_login_expires_at"), "card_login", ["expires_at"])


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
