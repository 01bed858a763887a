"""Use of a seal: what is asked for, grants for one document, joint sealing."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "use_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("presser", sa.String(length=10), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_name", sa.String(length=100), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("grant_id", sa.Integer(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=100), nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_use_request_document_id_document")
        ),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_use_request_seal_id_seal")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user_account.id"], name=op.f("fk_use_request_asked_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user_account.id"], name=op.f("fk_use_request_decided_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["seal_grant.id"], name=op.f("fk_use_request_grant_id_seal_grant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_use_request")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_use_request_grant_id")),
    )
    for column in ("document_id", "seal_id", "asked_by_id"):
        op.create_index(op.f(f"ix_use_request_{column}"), "use_request", [column])
    under_way = sa.text("state in ('open','agreed')")
    op.create_index(
        "uq_use_request_open",
        "use_request",
        ["document_id", "seal_id"],
        unique=True,
        sqlite_where=under_way,
        postgresql_where=under_way,
    )
    with op.batch_alter_table("seal_grant") as batch:
        batch.add_column(sa.Column("document_classes", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("uses_allowed", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("used", sa.Integer(), nullable=False, server_default="0"))
        batch.create_check_constraint("not_used_too_often", "uses_allowed is null or used <= uses_allowed")
    with op.batch_alter_table("seal") as batch:
        batch.add_column(sa.Column("by_request", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("document") as batch:
        batch.add_column(
            sa.Column("document_class", sa.String(length=20), nullable=False, server_default="other")
        )
        batch.add_column(sa.Column("sealed_digest", sa.String(length=80), nullable=True))
    op.create_index(op.f("ix_document_sealed_digest"), "document", ["sealed_digest"])
    with op.batch_alter_table("sealing") as batch:
        batch.add_column(sa.Column("base_digest", sa.String(length=80), nullable=True))
    with op.batch_alter_table("seal_use") as batch:
        batch.add_column(sa.Column("grant_id", sa.Integer(), nullable=True))
        batch.add_column(
            sa.Column("document_class", sa.String(length=20), nullable=False, server_default="other")
        )
        batch.create_foreign_key(op.f("fk_seal_use_grant_id_seal_grant"), "seal_grant", ["grant_id"], ["id"])
    op.create_index(op.f("ix_seal_use_grant_id"), "seal_use", ["grant_id"])
    for table, column in (
        ("seal_grant", "used"),
        ("seal", "by_request"),
        ("document", "document_class"),
        ("seal_use", "document_class"),
    ):
        with op.batch_alter_table(table) as batch:
            batch.alter_column(column, server_default=None)


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
