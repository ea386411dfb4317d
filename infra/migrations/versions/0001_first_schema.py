"""First schema"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from contracts.tables.base import Xid8

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RUN_ENDS = ("succeeded", "partial", "failed", "cancelled", "unknown")
RUN_MOVES = (
    ("requested", ("waiting", "running", "failed", "cancelled")),
    ("waiting", ("running", "failed", "cancelled")),
    ("running", ("paused", "cancelling", *_RUN_ENDS)),
    ("paused", ("running", "cancelling", *_RUN_ENDS)),
    ("cancelling", _RUN_ENDS),
)
TASK_MOVES = (
    ("pending", ("ready", "cancelled", "skipped", "failed", "timed_out")),
    ("ready", ("running", "cancelled", "skipped", "failed")),
    ("running", ("pending", "ready", "succeeded", "failed", "timed_out", "cancelled", "unknown")),
)


def upgrade() -> None:
    op.execute("CREATE SEQUENCE stream_ids AS bigint CACHE 32")
    _create_tables()
    _keep_every_row()
    _refuse_illegal_transitions()
    _first_rows()


def _create_tables() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=32), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("chain_no", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("chain_no", name=op.f("uq_audit_chain_no")),
    )
    op.create_index("ix_audit_subject", "audit", ["subject_id", "id"], unique=False)
    op.create_index(
        "ix_audit_unsealed", "audit", ["id"], unique=False, postgresql_where=sa.text("chain_no IS NULL")
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("wire_type", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_error", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('open', 'replayed', 'discarded')", name=op.f("ck_dead_letters_status_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    op.create_index(
        "ix_dead_letters_open",
        "dead_letters",
        ["subject_id"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_dead_letters_status", "dead_letters", ["status", "id"], unique=False)
    op.create_table(
        "handler_failures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handler_failures")),
    )
    op.create_index(op.f("ix_handler_failures_message_id"), "handler_failures", ["message_id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("principal", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=32), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("wire_type", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("meta", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "available_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_available_at"), "outbox", ["available_at"], unique=False)
    op.create_table(
        "output_chunks",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('stream_ids')"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("source_end", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("stream IN ('stdout', 'stderr')", name=op.f("ck_output_chunks_stream_known")),
        sa.PrimaryKeyConstraint("task_id", "attempt", "seq", "occurred_at", name=op.f("pk_output_chunks")),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index("ix_output_chunks_stream", "output_chunks", ["run_id", "xid", "id"], unique=False)
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("name", name=op.f("uq_projects_name")),
    )
    op.create_table(
        "run_events",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('stream_ids')"), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("kind IN ('tasks', 'run')", name=op.f("ck_run_events_kind_known")),
        sa.PrimaryKeyConstraint("id", "occurred_at", name=op.f("pk_run_events")),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index("ix_run_events_stream", "run_events", ["run_id", "xid", "id"], unique=False)
    op.create_table(
        "stream_epoch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_stream_epoch_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream_epoch")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("token_version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'operator', 'viewer')", name=op.f("ck_users_role_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_username", "users", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("pools", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_index(
        "ix_workers_lease",
        "workers",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "channels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_channels_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_channels_project_id_name")),
    )
    op.create_index(op.f("ix_channels_project_id"), "channels", ["project_id"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("held_reason", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("type IN ('winrm', 'ssh', 'api_key')", name=op.f("ck_credentials_type_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_credentials_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
    )
    op.create_index(op.f("ix_credentials_project_id"), "credentials", ["project_id"], unique=False)
    op.create_index(
        "uq_credentials_name",
        "credentials",
        ["project_id", "name"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_jobs_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_project_id"), "jobs", ["project_id"], unique=False)
    op.create_index(
        "uq_jobs_name",
        "jobs",
        ["project_id", "name"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("refresh_hash", name=op.f("uq_sessions_refresh_hash")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_family_id"), "sessions", ["family_id"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "credential_versions",
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name=op.f("fk_credential_versions_credential_id")
        ),
        sa.PrimaryKeyConstraint("credential_id", "version", name=op.f("pk_credential_versions")),
    )
    op.create_table(
        "job_versions",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_versions_job_id")),
        sa.PrimaryKeyConstraint("job_id", "version", name=op.f("pk_job_versions")),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timing", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column(
            "parameters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "policy", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("next_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_schedules_job_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_schedules_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_index(
        "ix_schedules_due",
        "schedules",
        ["next_due"],
        unique=False,
        postgresql_where=sa.text("archived_at IS NULL AND paused_at IS NULL"),
    )
    op.create_index(op.f("ix_schedules_job_id"), "schedules", ["job_id"], unique=False)
    op.create_index(op.f("ix_schedules_project_id"), "schedules", ["project_id"], unique=False)
    op.create_index(
        "uq_schedules_name",
        "schedules",
        ["project_id", "name"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_subscriptions_channel_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_subscriptions_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    op.create_index(op.f("ix_subscriptions_channel_id"), "subscriptions", ["channel_id"], unique=False)
    op.create_index(op.f("ix_subscriptions_project_id"), "subscriptions", ["project_id"], unique=False)
    op.create_table(
        "targets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("os", sa.Text(), nullable=False),
        sa.Column("hostname", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        sa.Column("pool", sa.Text(), server_default=sa.text("'default'"), nullable=False),
        sa.Column(
            "tags", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "winrm", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "ssh", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("os IN ('windows', 'linux')", name=op.f("ck_targets_os_known")),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_targets_credential_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_targets_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_targets")),
    )
    op.create_index(op.f("ix_targets_credential_id"), "targets", ["credential_id"], unique=False)
    op.create_index(op.f("ix_targets_project_id"), "targets", ["project_id"], unique=False)
    op.create_index(
        "uq_targets_name",
        "targets",
        ["project_id", "name"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_deliveries_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "event_id", "subscription_id", name=op.f("uq_deliveries_event_id_subscription_id")
        ),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["not_before"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("job_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "parameters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("targets", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("tally", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("rerun_of", sa.Uuid(), nullable=True),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_by", sa.Text(), nullable=True),
        sa.Column("parked_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (status IN ('succeeded', 'partial', 'failed', 'cancelled', 'unknown'))",
            name=op.f("ck_runs_ended_when_terminal"),
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'waiting', 'running', 'paused', 'cancelling', 'succeeded', 'partial', 'failed', 'cancelled', 'unknown')",
            name=op.f("ck_runs_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["job_id", "job_version"],
            ["job_versions.job_id", "job_versions.version"],
            name=op.f("fk_runs_job_id_job_version"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_runs_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(
        "ix_runs_cancel",
        "runs",
        ["id"],
        unique=False,
        postgresql_where=sa.text("cancel_requested_at IS NOT NULL AND ended_at IS NULL"),
    )
    op.create_index("ix_runs_job", "runs", ["job_id", "id"], unique=False)
    op.create_index(
        "ix_runs_open", "runs", ["id"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_runs_page", "runs", ["project_id", "id"], unique=False)
    op.create_index(
        "ix_runs_requested", "runs", ["id"], unique=False, postgresql_where=sa.text("status = 'requested'")
    )
    op.create_index(
        "ix_runs_wake", "runs", ["wake_at"], unique=False, postgresql_where=sa.text("wake_at IS NOT NULL")
    )
    op.create_table(
        "schedule_fires",
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_schedule_fires_schedule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("schedule_id", "due_at", name=op.f("pk_schedule_fires")),
    )
    op.create_table(
        "run_secrets",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_secrets_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_run_secrets")),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step_no", sa.SmallInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("target_name", sa.Text(), nullable=True),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("unplanned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("parked_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_code", sa.BigInteger(), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'ready', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped', 'unknown')",
            name=op.f("ck_tasks_state_known"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_tasks_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name=op.f("fk_tasks_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(
        "ix_tasks_held", "tasks", ["worker_id"], unique=False, postgresql_where=sa.text("state = 'running'")
    )
    op.create_index(
        "ix_tasks_left_behind",
        "tasks",
        ["pool", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'running' AND worker_id IS NULL AND parked_by IS NULL"),
    )
    op.create_index(
        "ix_tasks_pending",
        "tasks",
        ["run_id", "step_no", "ordinal"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_tasks_ready",
        "tasks",
        ["pool", "not_before", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'ready' AND parked_by IS NULL"),
    )
    op.create_index("ix_tasks_target", "tasks", ["target_id", "run_id"], unique=False)
    op.create_index(
        "ix_tasks_unplanned", "tasks", ["run_id"], unique=False, postgresql_where=sa.text("unplanned")
    )
    op.create_index("uq_tasks_place", "tasks", ["run_id", "step_no", "ordinal"], unique=True)
    op.create_table(
        "attempts",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("handle", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("target_version", sa.Integer(), nullable=True),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        sa.Column("credential_version", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_code", sa.BigInteger(), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("outputs", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reattached", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("losses", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("truncated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("output_incomplete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'ready', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped', 'unknown')",
            name=op.f("ck_attempts_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_attempts_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "number", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_run_id"), "attempts", ["run_id"], unique=False)
    op.create_table(
        "resolutions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.Text(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("verdict IN ('succeeded', 'failed')", name=op.f("ck_resolutions_verdict_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_resolutions_project_id")),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_resolutions_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolutions")),
        sa.UniqueConstraint("task_id", name=op.f("uq_resolutions_task_id")),
    )
    op.create_index(op.f("ix_resolutions_project_id"), "resolutions", ["project_id"], unique=False)
    op.create_index(op.f("ix_resolutions_run_id"), "resolutions", ["run_id"], unique=False)


def _keep_every_row() -> None:
    """Rows outside every monthly partition land in a default one; output is compressed cheaply."""
    for table in ("run_events", "output_chunks"):
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    op.execute("""
        DO $$ BEGIN
            ALTER TABLE output_chunks ALTER COLUMN data SET COMPRESSION lz4;
        EXCEPTION WHEN feature_not_supported THEN
            RAISE NOTICE 'this server has no lz4; output is compressed with its default';
        END $$
    """)


def _refuse_illegal_transitions() -> None:
    """The state tables of contracts as they stood with this revision, enforced by the database itself."""
    op.execute("""
        CREATE FUNCTION refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'row % of % cannot change its % that way: terminal states are final',
                OLD.id, TG_TABLE_NAME, TG_ARGV[0]
                USING ERRCODE = 'check_violation';
        END $$
    """)
    for table, column, moves in (("runs", "status", RUN_MOVES), ("tasks", "state", TASK_MOVES)):
        allowed = ", ".join(f"('{source}', '{target}')" for source, targets in moves for target in targets)
        op.execute(f"""
            CREATE TRIGGER {table}_transitions BEFORE UPDATE OF {column} ON {table} FOR EACH ROW
            WHEN (OLD.{column} <> NEW.{column} AND (OLD.{column}, NEW.{column}) NOT IN ({allowed}))
            EXECUTE FUNCTION refuse_transition('{column}')
        """)


def _first_rows() -> None:
    op.execute("INSERT INTO projects (id, name) VALUES ('00000000-0000-7000-8000-000000000001', 'default')")
    op.execute("INSERT INTO stream_epoch (id, epoch) VALUES (1, 1)")


def downgrade() -> None:
    op.drop_index(op.f("ix_resolutions_run_id"), table_name="resolutions")
    op.drop_index(op.f("ix_resolutions_project_id"), table_name="resolutions")
    op.drop_table("resolutions")
    op.drop_index(op.f("ix_attempts_run_id"), table_name="attempts")
    op.drop_table("attempts")
    op.drop_index("uq_tasks_place", table_name="tasks")
    op.drop_index("ix_tasks_unplanned", table_name="tasks", postgresql_where=sa.text("unplanned"))
    op.drop_index("ix_tasks_target", table_name="tasks")
    op.drop_index(
        "ix_tasks_ready",
        table_name="tasks",
        postgresql_where=sa.text("state = 'ready' AND parked_by IS NULL"),
    )
    op.drop_index("ix_tasks_pending", table_name="tasks", postgresql_where=sa.text("state = 'pending'"))
    op.drop_index(
        "ix_tasks_left_behind",
        table_name="tasks",
        postgresql_where=sa.text("state = 'running' AND worker_id IS NULL AND parked_by IS NULL"),
    )
    op.drop_index("ix_tasks_held", table_name="tasks", postgresql_where=sa.text("state = 'running'"))
    op.drop_table("tasks")
    op.drop_table("run_secrets")
    op.drop_table("schedule_fires")
    op.drop_index("ix_runs_wake", table_name="runs", postgresql_where=sa.text("wake_at IS NOT NULL"))
    op.drop_index("ix_runs_requested", table_name="runs", postgresql_where=sa.text("status = 'requested'"))
    op.drop_index("ix_runs_page", table_name="runs")
    op.drop_index("ix_runs_open", table_name="runs", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("ix_runs_job", table_name="runs")
    op.drop_index(
        "ix_runs_cancel",
        table_name="runs",
        postgresql_where=sa.text("cancel_requested_at IS NOT NULL AND ended_at IS NULL"),
    )
    op.drop_table("runs")
    op.drop_index("ix_deliveries_due", table_name="deliveries", postgresql_where=sa.text("state = 'pending'"))
    op.drop_table("deliveries")
    op.drop_index("uq_targets_name", table_name="targets", postgresql_where=sa.text("archived_at IS NULL"))
    op.drop_index(op.f("ix_targets_project_id"), table_name="targets")
    op.drop_index(op.f("ix_targets_credential_id"), table_name="targets")
    op.drop_table("targets")
    op.drop_index(op.f("ix_subscriptions_project_id"), table_name="subscriptions")
    op.drop_index(op.f("ix_subscriptions_channel_id"), table_name="subscriptions")
    op.drop_table("subscriptions")
    op.drop_index(
        "uq_schedules_name", table_name="schedules", postgresql_where=sa.text("archived_at IS NULL")
    )
    op.drop_index(op.f("ix_schedules_project_id"), table_name="schedules")
    op.drop_index(op.f("ix_schedules_job_id"), table_name="schedules")
    op.drop_index(
        "ix_schedules_due",
        table_name="schedules",
        postgresql_where=sa.text("archived_at IS NULL AND paused_at IS NULL"),
    )
    op.drop_table("schedules")
    op.drop_table("job_versions")
    op.drop_table("credential_versions")
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_family_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("uq_jobs_name", table_name="jobs", postgresql_where=sa.text("archived_at IS NULL"))
    op.drop_index(op.f("ix_jobs_project_id"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_index(
        "uq_credentials_name", table_name="credentials", postgresql_where=sa.text("archived_at IS NULL")
    )
    op.drop_index(op.f("ix_credentials_project_id"), table_name="credentials")
    op.drop_table("credentials")
    op.drop_index(op.f("ix_channels_project_id"), table_name="channels")
    op.drop_table("channels")
    op.drop_index("ix_workers_lease", table_name="workers", postgresql_where=sa.text("released_at IS NULL"))
    op.drop_table("workers")
    op.drop_index("uq_users_username", table_name="users")
    op.drop_table("users")
    op.drop_table("stream_epoch")
    op.drop_index("ix_run_events_stream", table_name="run_events")
    op.drop_table("run_events")
    op.drop_table("projects")
    op.drop_index("ix_output_chunks_stream", table_name="output_chunks")
    op.drop_table("output_chunks")
    op.drop_index(op.f("ix_outbox_available_at"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(op.f("ix_handler_failures_message_id"), table_name="handler_failures")
    op.drop_table("handler_failures")
    op.drop_index("ix_dead_letters_status", table_name="dead_letters")
    op.drop_index(
        "ix_dead_letters_open", table_name="dead_letters", postgresql_where=sa.text("status = 'open'")
    )
    op.drop_table("dead_letters")
    op.drop_index("ix_audit_unsealed", table_name="audit", postgresql_where=sa.text("chain_no IS NULL"))
    op.drop_index("ix_audit_subject", table_name="audit")
    op.drop_table("audit")
    op.execute("DROP FUNCTION refuse_transition")
    op.execute("DROP SEQUENCE stream_ids")
