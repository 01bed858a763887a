"""One store of drafts for every form, the files that come with forms, and what tells two impressions alike."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    draft = op.create_table(
        "form_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("window", sa.String(length=20), nullable=False),
        sa.Column("saved_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_form_draft_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_draft")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_form_draft_user_id_key")),
    )
    op.create_table(
        "form_upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("envelope", sa.String(length=80), nullable=False),
        sa.Column("sent_at", Moment(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_form_upload_user_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_form_upload_instance_id_flow_instance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_upload")),
        sa.UniqueConstraint("handle", name=op.f("uq_form_upload_handle")),
    )
    op.create_index(op.f("ix_form_upload_user_id"), "form_upload", ["user_id"])
    op.create_index(op.f("ix_form_upload_instance_id"), "form_upload", ["instance_id"])
    op.create_table(
        "impression_likeness",
        sa.Column("impression_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["impression_id"],
            ["impression.id"],
            name=op.f("fk_impression_likeness_impression_id_impression"),
        ),
        sa.PrimaryKeyConstraint("impression_id", name=op.f("pk_impression_likeness")),
    )
    _bring_over(draft)
    op.drop_table("application_draft")


def _bring_over(draft: sa.Table) -> None:
    """What people had typed stays; the scan becomes one of the values."""
    old = sa.table(
        "application_draft",
        sa.column("user_id", sa.Integer()),
        sa.column("key", sa.String()),
        sa.column("fields", sa.JSON()),
        sa.column("scan", sa.String()),
        sa.column("scan_name", sa.String()),
        sa.column("saved_at", Moment()),
    )
    rows = op.get_bind().execute(sa.select(old)).mappings().all()
    for row in rows:
        values = {**row["fields"], "scan_reference": row["scan"], "scan_name": row["scan_name"]}
        op.get_bind().execute(
            draft.insert().values(
                user_id=row["user_id"],
                key=row["key"],
                values=values,
                revision=1,
                window="",
                saved_at=row["saved_at"],
            )
        )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
