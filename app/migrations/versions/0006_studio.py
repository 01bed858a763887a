"""The studio: drafts and who has one open; from when a version is in force, and whose texts it carries."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flow_definition", sa.Column("published_by_name", sa.String(length=120), nullable=True))
    op.add_column("flow_definition", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("flow_definition", sa.Column("effective_from", Moment(), nullable=True))
    op.add_column("flow_definition", sa.Column("follows", sa.Integer(), nullable=True))
    op.add_column("flow_definition", sa.Column("called_off_at", Moment(), nullable=True))
    op.add_column("flow_definition", sa.Column("scenarios", sa.JSON(), server_default="{}", nullable=False))
    op.create_table(
        "studio_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("bpmn", sa.Text(), nullable=False),
        sa.Column("tables", sa.JSON(), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("scenarios", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("started_by_id", sa.Integer(), nullable=True),
        sa.Column("started_by_name", sa.String(length=120), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_by_name", sa.String(length=120), nullable=False),
        sa.Column("proposal", sa.JSON(), nullable=True),
        sa.Column("proposed_at", Moment(), nullable=True),
        sa.Column("proposed_by_id", sa.Integer(), nullable=True),
        sa.Column("proposed_by_name", sa.String(length=120), nullable=True),
        sa.Column("published_version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studio_draft")),
    )
    op.create_index(op.f("ix_studio_draft_key"), "studio_draft", ["key"])
    op.create_table(
        "studio_presence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["studio_draft.id"], name=op.f("fk_studio_presence_draft_id_studio_draft")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studio_presence")),
        sa.UniqueConstraint("draft_id", "user_id", name=op.f("uq_studio_presence_draft_id_user_id")),
    )


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
