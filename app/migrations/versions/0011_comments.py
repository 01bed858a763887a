"""What people say about a flow, and the files that come with it."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flow_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("withdrawn_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_flow_comment_instance_id_flow_instance")
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_flow_comment_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_comment")),
    )
    op.create_index(op.f("ix_flow_comment_instance_id"), "flow_comment", ["instance_id"])
    with op.batch_alter_table("form_upload") as table:
        table.add_column(sa.Column("comment_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_form_upload_comment_id_flow_comment"), "flow_comment", ["comment_id"], ["id"]
        )
        table.create_index(op.f("ix_form_upload_comment_id"), ["comment_id"])


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
