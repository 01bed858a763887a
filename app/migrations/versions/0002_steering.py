"""Steering: answered requests under their keys, migrations that can be undone, incidents that try again."""

import sqlalchemy as sa
from alembic import op

from app.db import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flow_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("command", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fact", sa.String(length=80), nullable=False),
        sa.Column("response", sa.JSON(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_request")),
        sa.UniqueConstraint("person", "key", name=op.f("uq_flow_request_person_key")),
    )
    op.create_index(op.f("ix_flow_request_at"), "flow_request", ["at"], unique=False)
    op.create_table(
        "flow_migration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("undone_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_flow_migration_instance_id_flow_instance")
        ),
        sa.ForeignKeyConstraint(
            ["from_id"], ["flow_definition.id"], name=op.f("fk_flow_migration_from_id_flow_definition")
        ),
        sa.ForeignKeyConstraint(
            ["to_id"], ["flow_definition.id"], name=op.f("fk_flow_migration_to_id_flow_definition")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_migration")),
    )
    op.create_index(op.f("ix_flow_migration_instance_id"), "flow_migration", ["instance_id"], unique=False)
    columns = (
        sa.Column("node_id", sa.String(length=120), nullable=False, server_default=""),
        sa.Column("visit", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_try_at", Moment(), nullable=True),
    )
    # a table that holds rows takes a new column only with a default; the default goes again, as the models have none
    with op.batch_alter_table("flow_incident") as batch:
        for column in columns:
            batch.add_column(column)
    with op.batch_alter_table("flow_incident") as batch:
        for name in ("node_id", "visit", "tries"):
            batch.alter_column(name, server_default=None)
    op.create_index(op.f("ix_flow_incident_next_try_at"), "flow_incident", ["next_try_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_flow_incident_next_try_at"), "flow_incident")
    with op.batch_alter_table("flow_incident") as batch:
        for name in ("next_try_at", "tries", "visit", "node_id"):
            batch.drop_column(name)
    op.drop_table("flow_migration")
    op.drop_table("flow_request")
