"""Connection tests, held credentials, seats at targets"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _connection_tests()
    _holds()
    _seats()


def _connection_tests() -> None:
    jsonb = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "connection_tests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("target_version", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("reach", jsonb, nullable=False),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        sa.Column("unsaved", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("even_if_held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("stages", jsonb, nullable=True),
        sa.Column("presented", jsonb, nullable=True),
        sa.Column("error", jsonb, nullable=True),
        sa.Column("parked_by", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('requested', 'running', 'succeeded', 'failed')",
            name=op.f("ck_connection_tests_status_known"),
        ),
        sa.CheckConstraint("transport IN ('winrm', 'ssh')", name=op.f("ck_connection_tests_transport_known")),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (status IN ('succeeded', 'failed'))",
            name=op.f("ck_connection_tests_ended_when_terminal"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_connection_tests_project_id")),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_connection_tests_target_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name=op.f("fk_connection_tests_credential_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_tests")),
    )
    op.create_index(op.f("ix_connection_tests_project_id"), "connection_tests", ["project_id"])
    op.create_index("ix_connection_tests_target", "connection_tests", ["target_id", "id"])
    op.create_index(
        "ix_connection_tests_batch",
        "connection_tests",
        ["batch_id", "id"],
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.create_index(
        "ix_connection_tests_requested",
        "connection_tests",
        ["pool", "id"],
        postgresql_where=sa.text("status = 'requested' AND parked_by IS NULL"),
    )
    op.create_index(
        "ix_connection_tests_held",
        "connection_tests",
        ["worker_id"],
        postgresql_where=sa.text("status = 'running'"),
    )


def _holds() -> None:
    op.add_column("credentials", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("credentials", sa.Column("held_version", sa.Integer(), nullable=True))
    op.create_table(
        "credential_holds",
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credentials.id"],
            name=op.f("fk_credential_holds_credential_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_credential_holds_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("credential_id", "version", "target_id", name=op.f("pk_credential_holds")),
    )


def _seats() -> None:
    op.create_table(
        "seats",
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_seats_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("target_id", "account", "place", name=op.f("pk_seats")),
    )
    op.create_index("ix_seats_task", "seats", ["task_id"])
    op.create_index("ix_seats_worker", "seats", ["worker_id"])


def downgrade() -> None:
    op.drop_table("seats")
    op.drop_table("credential_holds")
    op.drop_column("credentials", "held_version")
    op.drop_column("credentials", "held_at")
    op.drop_table("connection_tests")
