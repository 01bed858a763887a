"""The first shape: every table of the main job, and the triggers that keep the log append-only."""

import sqlalchemy as sa
from alembic import op

from app.audit.models import append_only_ddl
from app.db import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "application_counter",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_application_counter")),
    )
    op.create_table(
        "data_key",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("alg", sa.String(length=32), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_key")),
        sa.UniqueConstraint("purpose", "period", name=op.f("uq_data_key_purpose_period")),
    )
    op.create_table(
        "flow_definition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("label_zh", sa.String(length=200), nullable=False),
        sa.Column("label_en", sa.String(length=200), nullable=False),
        sa.Column("bpmn", sa.Text(), nullable=False),
        sa.Column("tables", sa.JSON(), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("calls", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("published_at", Moment(), nullable=False),
        sa.Column("published_by_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_definition")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_flow_definition_key_version")),
    )
    op.create_table(
        "flow_message_inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("correlation", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("delivered_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_message_inbox")),
        sa.UniqueConstraint(
            "name",
            "correlation",
            "message_id",
            name=op.f("uq_flow_message_inbox_name_correlation_message_id"),
        ),
    )
    op.create_index(
        "ix_flow_message_inbox_delivered_at", "flow_message_inbox", ["delivered_at"], unique=False
    )
    op.create_table(
        "impression_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_key", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impression_name")),
        sa.UniqueConstraint("owner_key", "kind", "name", name=op.f("uq_impression_name_owner_key_kind_name")),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("alg", sa.String(length=32), nullable=False),
        sa.Column("kid", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_checkpoint")),
        sa.UniqueConstraint("size", name=op.f("uq_log_checkpoint_size")),
    )
    op.create_table(
        "log_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_entry")),
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_log_node")),
    )
    op.create_table(
        "login_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login_hash", sa.String(length=64), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    op.create_index(op.f("ix_login_failure_at"), "login_failure", ["at"], unique=False)
    op.create_index(
        op.f("ix_login_failure_login_hash_at"), "login_failure", ["login_hash", "at"], unique=False
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=18), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    op.create_index(op.f("ix_unit_parent_id"), "unit", ["parent_id"], unique=False)
    op.create_table(
        "flow_instance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("business_key", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("glyph", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("initiator_id", sa.Integer(), nullable=True),
        sa.Column("initiator_name", sa.String(length=120), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("unit_name", sa.String(length=200), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition_id"],
            ["flow_definition.id"],
            name=op.f("fk_flow_instance_definition_id_flow_definition"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_instance")),
    )
    op.create_index("ix_flow_instance_business_key", "flow_instance", ["business_key"], unique=False)
    op.create_index(op.f("ix_flow_instance_initiator_id"), "flow_instance", ["initiator_id"], unique=False)
    op.create_table(
        "log_leaf",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("ts_us", sa.BigInteger(), nullable=False),
        sa.Column("log_class", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["log_entry.id"], name=op.f("fk_log_leaf_entry_id_log_entry")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_leaf")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_log_leaf_entry_id")),
    )
    op.create_index(op.f("ix_log_leaf_log_class_seq"), "log_leaf", ["log_class", "seq"], unique=False)
    op.create_index(op.f("ix_log_leaf_ts_us"), "log_leaf", ["ts_us"], unique=False)
    op.create_table(
        "log_pending",
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["log_entry.id"], name=op.f("fk_log_pending_entry_id_log_entry")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_log_pending")),
    )
    op.create_table(
        "station",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("enrolled_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.Column("key_alg", sa.String(length=20), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("host", sa.String(length=255), nullable=True),
        sa.Column("mac", sa.String(length=17), nullable=True),
        sa.Column("agent_version", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_station_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station")),
        sa.UniqueConstraint("name", name=op.f("uq_station_name")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_is_first", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_user_account_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("login", name=op.f("uq_user_account_login")),
    )
    op.create_index(op.f("ix_user_account_unit_id"), "user_account", ["unit_id"], unique=False)
    op.create_table(
        "application",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("seal_name", sa.String(length=200), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("applicant_id", sa.Integer(), nullable=False),
        sa.Column("keeping", sa.String(length=20), nullable=False),
        sa.Column("size", sa.String(length=30), nullable=False),
        sa.Column("width_mm", sa.Double(), nullable=False),
        sa.Column("height_mm", sa.Double(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("scan", sa.String(length=80), nullable=False),
        sa.Column("scan_name", sa.String(length=200), nullable=False),
        sa.Column("impression", sa.String(length=80), nullable=False),
        sa.Column("owner_unit_id", sa.Integer(), nullable=True),
        sa.Column("owner_user_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("returned_reason", sa.String(length=500), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("submitted_at", Moment(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["user_account.id"], name=op.f("fk_application_applicant_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["owner_unit_id"], ["unit.id"], name=op.f("fk_application_owner_unit_id_unit")
        ),
        sa.ForeignKeyConstraint(
            ["owner_user_id"], ["user_account.id"], name=op.f("fk_application_owner_user_id_user_account")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_application_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("number", name=op.f("uq_application_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_application_uid")),
    )
    op.create_index(op.f("ix_application_applicant_id"), "application", ["applicant_id"], unique=False)
    op.create_index(op.f("ix_application_unit_id"), "application", ["unit_id"], unique=False)
    op.create_table(
        "application_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("scan", sa.String(length=80), nullable=False),
        sa.Column("scan_name", sa.String(length=200), nullable=False),
        sa.Column("saved_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_application_draft_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_draft")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_application_draft_user_id_key")),
    )
    op.create_table(
        "card",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("keeping", sa.String(length=10), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("cert_sha256", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("valid_from", Moment(), nullable=False),
        sa.Column("valid_until", Moment(), nullable=False),
        sa.Column("registered_at", Moment(), nullable=False),
        sa.Column("registered_by_id", sa.Integer(), nullable=True),
        sa.Column("owner_unit_id", sa.Integer(), nullable=True),
        sa.Column("owner_user_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("keeping in ('unit', 'personal')", name=op.f("ck_card_keeping")),
        sa.CheckConstraint("role in ('maker', 'seal')", name=op.f("ck_card_role")),
        sa.CheckConstraint(
            "owner_unit_id is not null or owner_user_id is not null", name=op.f("ck_card_owned")
        ),
        sa.ForeignKeyConstraint(["owner_unit_id"], ["unit.id"], name=op.f("fk_card_owner_unit_id_unit")),
        sa.ForeignKeyConstraint(
            ["owner_user_id"], ["user_account.id"], name=op.f("fk_card_owner_user_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["registered_by_id"], ["user_account.id"], name=op.f("fk_card_registered_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("cert_sha256", name=op.f("uq_card_cert_sha256")),
        sa.UniqueConstraint("serial", name=op.f("uq_card_serial")),
    )
    op.create_table(
        "card_job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("card_serial", sa.String(length=64), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("operator_name", sa.String(length=100), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("held", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("reason_zh", sa.String(length=1000), nullable=True),
        sa.Column("reason_en", sa.String(length=1000), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["user_account.id"], name=op.f("fk_card_job_operator_id_user_account")
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_card_job_station_id_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_job")),
    )
    op.create_index(op.f("ix_card_job_card_serial"), "card_job", ["card_serial"], unique=False)
    op.create_index("ix_card_job_station_state", "card_job", ["station_id", "state"], unique=False)
    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("pages", sa.JSON(), nullable=False),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"], ["user_account.id"], name=op.f("fk_document_uploaded_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    op.create_index(op.f("ix_document_digest"), "document", ["digest"], unique=False)
    op.create_index(op.f("ix_document_uploaded_by_id"), "document", ["uploaded_by_id"], unique=False)
    op.create_table(
        "enrolment_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("hash_alg", sa.String(length=20), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["station_id"], ["station.id"], name=op.f("fk_enrolment_code_station_id_station")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_enrolment_code_code_hash")),
    )
    op.create_table(
        "export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report", sa.String(length=40), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("ordered_by_id", sa.Integer(), nullable=False),
        sa.Column("ordered_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("file_digest", sa.String(length=80), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=True),
        sa.Column("file_bytes", sa.Integer(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("failed_zh", sa.String(length=500), nullable=True),
        sa.Column("failed_en", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["ordered_by_id"], ["user_account.id"], name=op.f("fk_export_ordered_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    op.create_index(op.f("ix_export_ended_at"), "export", ["ended_at"], unique=False)
    op.create_index(op.f("ix_export_ordered_by_id"), "export", ["ordered_by_id"], unique=False)
    op.create_table(
        "flow_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("shape", sa.String(length=40), nullable=False),
        sa.Column("label_zh", sa.String(length=200), nullable=False),
        sa.Column("label_en", sa.String(length=200), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=120), nullable=False),
        sa.Column("outcome", sa.String(length=80), nullable=True),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_flow_event_instance_id_flow_instance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_event")),
    )
    op.create_index("ix_flow_event_instance_id", "flow_event", ["instance_id", "id"], unique=False)
    op.create_table(
        "flow_incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("solved_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_flow_incident_instance_id_flow_instance")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["flow_message_inbox.id"],
            name=op.f("fk_flow_incident_message_id_flow_message_inbox"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_incident")),
    )
    op.create_index(op.f("ix_flow_incident_instance_id"), "flow_incident", ["instance_id"], unique=False)
    op.create_table(
        "flow_message_subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("correlation", sa.String(length=200), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["flow_instance.id"],
            name=op.f("fk_flow_message_subscription_instance_id_flow_instance"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_message_subscription")),
        sa.UniqueConstraint(
            "instance_id", "token", name=op.f("uq_flow_message_subscription_instance_id_token")
        ),
    )
    op.create_index(
        "ix_flow_message_subscription_name",
        "flow_message_subscription",
        ["name", "correlation"],
        unique=False,
    )
    op.create_table(
        "flow_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("label_zh", sa.String(length=200), nullable=False),
        sa.Column("label_en", sa.String(length=200), nullable=False),
        sa.Column("form", sa.String(length=120), nullable=False),
        sa.Column("page", sa.String(length=200), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("notice_zh", sa.Text(), nullable=True),
        sa.Column("notice_en", sa.Text(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("assignee_name", sa.String(length=120), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("done_at", Moment(), nullable=True),
        sa.Column("done_by_id", sa.Integer(), nullable=True),
        sa.Column("done_by_name", sa.String(length=120), nullable=True),
        sa.Column("outcome", sa.String(length=80), nullable=True),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["flow_definition.id"], name=op.f("fk_flow_task_definition_id_flow_definition")
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_flow_task_instance_id_flow_instance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_task")),
        sa.UniqueConstraint("instance_id", "token", name=op.f("uq_flow_task_instance_id_token")),
    )
    op.create_index("ix_flow_task_done_by_id", "flow_task", ["done_by_id", "done_at"], unique=False)
    op.create_index(op.f("ix_flow_task_instance_id"), "flow_task", ["instance_id"], unique=False)
    op.create_index("ix_flow_task_status_assignee_id", "flow_task", ["status", "assignee_id"], unique=False)
    op.create_table(
        "flow_timer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["flow_instance.id"], name=op.f("fk_flow_timer_instance_id_flow_instance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_timer")),
        sa.UniqueConstraint("instance_id", "token", name=op.f("uq_flow_timer_instance_id_token")),
    )
    op.create_index("ix_flow_timer_due_at", "flow_timer", ["due_at"], unique=False)
    op.create_table(
        "impression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_key", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("width_mm", sa.Double(), nullable=False),
        sa.Column("height_mm", sa.Double(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("envelope", sa.String(length=80), nullable=False),
        sa.Column("valid_from", Moment(), nullable=False),
        sa.Column("effective", sa.Boolean(), nullable=False),
        sa.Column("owner_unit_id", sa.Integer(), nullable=True),
        sa.Column("owner_user_id", sa.Integer(), nullable=True),
        sa.Column("registered_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(owner_unit_id IS NULL) <> (owner_user_id IS NULL)", name=op.f("ck_impression_one_owner")
        ),
        sa.CheckConstraint("width_mm > 0 AND height_mm > 0", name=op.f("ck_impression_has_size")),
        sa.ForeignKeyConstraint(
            ["owner_unit_id"], ["unit.id"], name=op.f("fk_impression_owner_unit_id_unit")
        ),
        sa.ForeignKeyConstraint(
            ["owner_user_id"], ["user_account.id"], name=op.f("fk_impression_owner_user_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["registered_by_id"],
            ["user_account.id"],
            name=op.f("fk_impression_registered_by_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impression")),
    )
    op.create_index(op.f("ix_impression_owner_unit_id"), "impression", ["owner_unit_id"], unique=False)
    op.create_index(op.f("ix_impression_owner_user_id"), "impression", ["owner_user_id"], unique=False)
    op.create_index(
        "uq_impression_effective",
        "impression",
        ["owner_key", "kind", "name"],
        unique=True,
        sqlite_where=sa.text("effective = 1"),
        postgresql_where=sa.text("effective"),
    )
    op.create_table(
        "log_token",
        sa.Column("field", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.ForeignKeyConstraint(["seq"], ["log_leaf.seq"], name=op.f("fk_log_token_seq_log_leaf")),
        sa.PrimaryKeyConstraint("field", "token", "seq", name=op.f("pk_log_token")),
    )
    op.create_index(op.f("ix_log_token_seq"), "log_token", ["seq"], unique=False)
    op.create_table(
        "login_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_login_session_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    op.create_index(op.f("ix_login_session_user_id"), "login_session", ["user_id"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", Moment(), nullable=False),
        sa.Column("valid_until", Moment(), nullable=True),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["user_account.id"], name=op.f("fk_role_grant_granted_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_role_grant_unit_id_unit")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_role_grant_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    op.create_index(op.f("ix_role_grant_role"), "role_grant", ["role"], unique=False)
    op.create_index(op.f("ix_role_grant_user_id"), "role_grant", ["user_id"], unique=False)
    op.create_table(
        "station_nonce",
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("used_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["station_id"], ["station.id"], name=op.f("fk_station_nonce_station_id_station")
        ),
        sa.PrimaryKeyConstraint("station_id", "nonce", name=op.f("pk_station_nonce")),
    )
    op.create_index(op.f("ix_station_nonce_used_at"), "station_nonce", ["used_at"], unique=False)
    op.create_table(
        "station_presence",
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("cards", sa.JSON(), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["station_id"], ["station.id"], name=op.f("fk_station_presence_station_id_station")
        ),
        sa.PrimaryKeyConstraint("station_id", name=op.f("pk_station_presence")),
    )
    op.create_table(
        "card_job_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("note_zh", sa.String(length=1000), nullable=False),
        sa.Column("note_en", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["card_job.id"], name=op.f("fk_card_job_step_job_id_card_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_job_step")),
    )
    op.create_index(op.f("ix_card_job_step_job_id"), "card_job_step", ["job_id"], unique=False)
    op.create_table(
        "card_loss",
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["user_account.id"], name=op.f("fk_card_loss_by_id_user_account")),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_card_loss_card_id_card")),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_card_loss")),
    )
    op.create_table(
        "custody",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("keeper_id", sa.Integer(), nullable=False),
        sa.Column("taken_at", Moment(), nullable=False),
        sa.Column("returned_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_custody_card_id_card")),
        sa.ForeignKeyConstraint(
            ["keeper_id"], ["user_account.id"], name=op.f("fk_custody_keeper_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody")),
    )
    op.create_index(
        "uq_custody_open",
        "custody",
        ["card_id"],
        unique=True,
        sqlite_where=sa.text("returned_at IS NULL"),
        postgresql_where=sa.text("returned_at IS NULL"),
    )
    op.create_table(
        "flow_task_candidate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["flow_task.id"], name=op.f("fk_flow_task_candidate_task_id_flow_task")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_task_candidate")),
    )
    op.create_index(
        "ix_flow_task_candidate_role_unit_id",
        "flow_task_candidate",
        ["role", "unit_id", "task_id"],
        unique=False,
    )
    op.create_index(op.f("ix_flow_task_candidate_task_id"), "flow_task_candidate", ["task_id"], unique=False)
    op.create_index(
        "ix_flow_task_candidate_user_id", "flow_task_candidate", ["user_id", "task_id"], unique=False
    )
    op.create_table(
        "impression_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("impression_id", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("witness", sa.String(length=100), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_impression_event_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["impression_id"], ["impression.id"], name=op.f("fk_impression_event_impression_id_impression")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impression_event")),
    )
    op.create_index(
        op.f("ix_impression_event_impression_id"), "impression_event", ["impression_id"], unique=False
    )
    op.create_table(
        "seal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("es_id", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("impression_id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("keeping", sa.String(length=10), nullable=False),
        sa.Column("card_serial", sa.String(length=64), nullable=False),
        sa.Column("card_cert_sha256", sa.String(length=64), nullable=False),
        sa.Column("maker_serial", sa.String(length=64), nullable=False),
        sa.Column("maker_name", sa.String(length=300), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("operator_name", sa.String(length=100), nullable=False),
        sa.Column("seal_sha256", sa.String(length=64), nullable=False),
        sa.Column("seal_object", sa.String(length=80), nullable=False),
        sa.Column("width_mm", sa.Double(), nullable=False),
        sa.Column("height_mm", sa.Double(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("valid_from", Moment(), nullable=False),
        sa.Column("valid_until", Moment(), nullable=False),
        sa.Column("owner_unit_id", sa.Integer(), nullable=True),
        sa.Column("owner_user_id", sa.Integer(), nullable=True),
        sa.Column("last_used_at", Moment(), nullable=True),
        sa.Column("use_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["impression_id"], ["impression.id"], name=op.f("fk_seal_impression_id_impression")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["card_job.id"], name=op.f("fk_seal_job_id_card_job")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["user_account.id"], name=op.f("fk_seal_operator_id_user_account")
        ),
        sa.ForeignKeyConstraint(["owner_unit_id"], ["unit.id"], name=op.f("fk_seal_owner_unit_id_unit")),
        sa.ForeignKeyConstraint(
            ["owner_user_id"], ["user_account.id"], name=op.f("fk_seal_owner_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
        sa.UniqueConstraint("es_id", name=op.f("uq_seal_es_id")),
        sa.UniqueConstraint("job_id", name=op.f("uq_seal_job_id")),
    )
    op.create_index(op.f("ix_seal_card_serial"), "seal", ["card_serial"], unique=False)
    op.create_index(op.f("ix_seal_impression_id"), "seal", ["impression_id"], unique=False)
    op.create_index(op.f("ix_seal_owner_unit_id"), "seal", ["owner_unit_id"], unique=False)
    op.create_table(
        "seal_making",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("es_id", sa.String(length=64), nullable=False),
        sa.Column("impression_id", sa.Integer(), nullable=False),
        sa.Column("card_serial", sa.String(length=64), nullable=False),
        sa.Column("card_cert_sha256", sa.String(length=64), nullable=False),
        sa.Column("maker_serial", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("order_json", sa.LargeBinary(), nullable=False),
        sa.Column("seal_info", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("seal_sha256", sa.String(length=64), nullable=True),
        sa.Column("seal_object", sa.String(length=80), nullable=True),
        sa.Column("envelope_object", sa.String(length=80), nullable=True),
        sa.Column("envelope_sha256", sa.String(length=64), nullable=True),
        sa.Column("token_json", sa.LargeBinary(), nullable=True),
        sa.Column("token_expires_at", Moment(), nullable=True),
        sa.Column("receipt", sa.JSON(), nullable=True),
        sa.Column("written_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["impression_id"], ["impression.id"], name=op.f("fk_seal_making_impression_id_impression")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["card_job.id"], name=op.f("fk_seal_making_job_id_card_job")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_seal_making")),
        sa.UniqueConstraint("es_id", name=op.f("uq_seal_making_es_id")),
        sa.UniqueConstraint("order_id", name=op.f("uq_seal_making_order_id")),
    )
    op.create_table(
        "seal_cancellation",
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_seal_cancellation_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_cancellation_seal_id_seal")),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_seal_cancellation")),
    )
    op.create_table(
        "seal_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("functions", sa.JSON(), nullable=False),
        sa.Column("valid_from", Moment(), nullable=False),
        sa.Column("granted_at", Moment(), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("granted_by_name", sa.String(length=100), nullable=False),
        sa.Column("because", sa.String(length=300), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("valid_until", Moment(), nullable=True),
        sa.Column("document_digest", sa.String(length=80), nullable=True),
        sa.CheckConstraint("(role is null) = (unit_id is null)", name=op.f("ck_seal_grant_role_for_unit")),
        sa.CheckConstraint(
            "(user_id is null) <> (role is null)", name=op.f("ck_seal_grant_to_person_or_role")
        ),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["user_account.id"], name=op.f("fk_seal_grant_granted_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_grant_seal_id_seal")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_seal_grant_unit_id_unit")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_seal_grant_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_grant")),
    )
    op.create_index(op.f("ix_seal_grant_seal_id"), "seal_grant", ["seal_id"], unique=False)
    op.create_table(
        "seal_issue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("collector_name", sa.String(length=100), nullable=False),
        sa.Column("collector_document", sa.String(length=200), nullable=False),
        sa.Column("on_behalf_of", sa.String(length=200), nullable=False),
        sa.Column("collected_at", Moment(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_seal_issue_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_issue_seal_id_seal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_issue")),
    )
    op.create_index(op.f("ix_seal_issue_seal_id"), "seal_issue", ["seal_id"], unique=False)
    op.create_table(
        "seal_suspension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("ended_reason", sa.String(length=500), nullable=True),
        sa.Column("ended_by_name", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_seal_suspension_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_suspension_seal_id_seal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_suspension")),
    )
    op.create_index(
        "uq_seal_suspension_open",
        "seal_suspension",
        ["seal_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "sealing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.String(length=100), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("card_serial", sa.String(length=64), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("x_pt", sa.Double(), nullable=False),
        sa.Column("y_pt", sa.Double(), nullable=False),
        sa.Column("width_mm", sa.Double(), nullable=False),
        sa.Column("height_mm", sa.Double(), nullable=False),
        sa.Column("ordered_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("press_object", sa.String(length=80), nullable=True),
        sa.Column("press_state", sa.JSON(), nullable=True),
        sa.Column("order_id", sa.String(length=64), nullable=True),
        sa.Column("order_json", sa.LargeBinary(), nullable=True),
        sa.Column("order_expires_at", Moment(), nullable=True),
        sa.Column("reason_zh", sa.String(length=1000), nullable=True),
        sa.Column("reason_en", sa.String(length=1000), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "state in ('ordered','prepared','sealed','failed','cancelled')", name=op.f("ck_sealing_state")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_sealing_document_id_document")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["card_job.id"], name=op.f("fk_sealing_job_id_card_job")),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_sealing_seal_id_seal")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_sealing_station_id_station")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_sealing_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealing")),
        sa.UniqueConstraint("job_id", name=op.f("uq_sealing_job_id")),
        sa.UniqueConstraint("order_id", name=op.f("uq_sealing_order_id")),
    )
    op.create_index(op.f("ix_sealing_document_id"), "sealing", ["document_id"], unique=False)
    op.create_index(op.f("ix_sealing_seal_id"), "sealing", ["seal_id"], unique=False)
    op.create_index(op.f("ix_sealing_user_id"), "sealing", ["user_id"], unique=False)
    op.create_table(
        "grant_withdrawal",
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_grant_withdrawal_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["seal_grant.id"], name=op.f("fk_grant_withdrawal_grant_id_seal_grant")
        ),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_grant_withdrawal")),
    )
    op.create_table(
        "seal_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sealing_id", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.Integer(), nullable=False),
        sa.Column("es_id", sa.String(length=64), nullable=False),
        sa.Column("seal_name", sa.String(length=200), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.String(length=100), nullable=False),
        sa.Column("card_serial", sa.String(length=64), nullable=False),
        sa.Column("document_digest", sa.String(length=80), nullable=False),
        sa.Column("sealed_digest", sa.String(length=80), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("signature_id", sa.String(length=80), nullable=False),
        sa.Column("signature_alg", sa.String(length=40), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_use_seal_id_seal")),
        sa.ForeignKeyConstraint(["sealing_id"], ["sealing.id"], name=op.f("fk_seal_use_sealing_id_sealing")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_seal_use_station_id_station")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_seal_use_unit_id_unit")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_seal_use_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_use")),
        sa.UniqueConstraint("sealing_id", name=op.f("uq_seal_use_sealing_id")),
        sa.UniqueConstraint("signature_id", name=op.f("uq_seal_use_signature_id")),
    )
    op.create_index(op.f("ix_seal_use_at"), "seal_use", ["at"], unique=False)
    op.create_index(op.f("ix_seal_use_card_serial"), "seal_use", ["card_serial"], unique=False)
    op.create_index(op.f("ix_seal_use_document_digest"), "seal_use", ["document_digest"], unique=False)
    op.create_index(op.f("ix_seal_use_seal_id"), "seal_use", ["seal_id"], unique=False)
    op.create_index(op.f("ix_seal_use_sealed_digest"), "seal_use", ["sealed_digest"], unique=False)
    op.create_index(op.f("ix_seal_use_unit_id"), "seal_use", ["unit_id"], unique=False)
    op.create_index(op.f("ix_seal_use_user_id"), "seal_use", ["user_id"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("signature_id", sa.String(length=80), nullable=False),
        sa.Column("seal_use_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_withdrawal_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["seal_use_id"], ["seal_use.id"], name=op.f("fk_withdrawal_seal_use_id_seal_use")
        ),
        sa.PrimaryKeyConstraint("signature_id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("seal_use_id", name=op.f("uq_withdrawal_seal_use_id")),
    )
    for statement in append_only_ddl(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("what is append-only is not taken back; restore a backup instead")
