"""When a lost card was last known to be in hand."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("card_loss") as table:
        table.add_column(sa.Column("since", Moment(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
