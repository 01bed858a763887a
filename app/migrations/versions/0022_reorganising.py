"""Units that are renamed, merged or closed; seals whose standing changes through a flow."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("unit") as unit:
        unit.add_column(sa.Column("ended_at", Moment(), nullable=True))
        unit.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        unit.create_foreign_key(op.f("fk_unit_merged_into_id_unit"), "unit", ["merged_into_id"], ["id"])
    op.create_table(
        "unit_former_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_former_name_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_former_name")),
    )
    op.create_index(op.f("ix_unit_former_name_unit_id"), "unit_former_name", ["unit_id"])
    op.create_table(
        "seal_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_name", sa.String(length=100), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("agreed_by_id", sa.Integer(), nullable=True),
        sa.Column("agreed_by_name", sa.String(length=100), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_change_seal_id_seal")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user_account.id"], name=op.f("fk_seal_change_asked_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["agreed_by_id"], ["user_account.id"], name=op.f("fk_seal_change_agreed_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_change")),
    )
    op.create_index(
        "uq_seal_change_open",
        "seal_change",
        ["seal_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
