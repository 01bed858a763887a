"""How each card stands, and how it came to."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("card") as table:
        table.add_column(sa.Column("state", sa.String(length=20), nullable=False, server_default="enrolled"))
    op.execute(
        "UPDATE card SET state = 'assigned' WHERE role = 'maker' AND EXISTS "
        "(SELECT 1 FROM custody WHERE custody.card_id = card.id AND custody.returned_at IS NULL)"
    )
    op.execute(
        "UPDATE card SET state = 'active' WHERE EXISTS (SELECT 1 FROM card_job WHERE "
        "card_job.card_serial = card.serial AND card_job.kind = 'make_seal' AND card_job.state = 'done')"
    )
    op.execute(
        "UPDATE card SET state = 'in_production' WHERE EXISTS (SELECT 1 FROM card_job WHERE "
        "card_job.card_serial = card.serial AND card_job.kind = 'make_seal' "
        "AND card_job.state IN ('ordered', 'begun', 'authorised'))"
    )
    op.execute("UPDATE card SET state = 'lost' WHERE id IN (SELECT card_id FROM card_loss)")
    op.create_table(
        "card_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_card_move_card_id_card")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_move")),
    )
    op.create_index(op.f("ix_card_move_card_id"), "card_move", ["card_id"])


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
