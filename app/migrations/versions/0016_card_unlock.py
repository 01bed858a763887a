"""Cards whose PIN is given anew."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_unlock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_name", sa.String(length=100), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("agreed_by_id", sa.Integer(), nullable=True),
        sa.Column("agreed_by_name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("order_json", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_card_unlock_card_id_card")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user_account.id"], name=op.f("fk_card_unlock_asked_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["agreed_by_id"], ["user_account.id"], name=op.f("fk_card_unlock_agreed_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["card_job.id"], name=op.f("fk_card_unlock_job_id_card_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_unlock")),
    )
    op.create_index(
        "uq_card_unlock_open",
        "card_unlock",
        ["card_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
