"""What the web client reads"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_UNHAPPY_RUNS = "status IN ('failed', 'partial', 'cancelled', 'unknown')"
_UNHAPPY_TASKS = "state IN ('failed', 'timed_out', 'unknown')"


def upgrade() -> None:
    op.add_column("users", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("time_zone", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("inactive_reason", sa.Text(), nullable=True))
    op.add_column("job_versions", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("job_versions", sa.Column("message", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("trigger", sa.Text(), server_default=sa.text("'manual'"), nullable=False))
    op.create_check_constraint(
        op.f("ck_runs_trigger_known"), "runs", "trigger IN ('manual', 'api', 'rerun', 'schedule', 'webhook')"
    )
    op.add_column("runs", sa.Column("only_targets", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("runs", sa.Column("from_step", sa.SmallInteger(), nullable=True))
    op.add_column("run_secrets", sa.Column("sealed_for", sa.Uuid(), nullable=True))
    op.create_index("ix_runs_requester", "runs", ["requested_by", "id"], unique=False)
    op.create_index(
        "ix_runs_rerun",
        "runs",
        ["rerun_of", "id"],
        unique=False,
        postgresql_where=sa.text("rerun_of IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_unhappy", "runs", ["project_id", "id"], unique=False, postgresql_where=sa.text(_UNHAPPY_RUNS)
    )
    op.create_index(
        "ix_tasks_unhappy", "tasks", ["run_id", "id"], unique=False, postgresql_where=sa.text(_UNHAPPY_TASKS)
    )
    op.create_index(
        "ix_tasks_unhappy_when", "tasks", ["ended_at"], unique=False, postgresql_where=sa.text(_UNHAPPY_TASKS)
    )
    op.create_index(
        "ix_tasks_unknown", "tasks", ["id"], unique=False, postgresql_where=sa.text("state = 'unknown'")
    )
    op.create_index("ix_dead_letters_subject", "dead_letters", ["subject_id", "id"], unique=False)
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_saved_filters_project_id")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_saved_filters_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
    )
    op.create_index(op.f("ix_saved_filters_project_id"), "saved_filters", ["project_id"], unique=False)
    op.create_index("uq_saved_filters_name", "saved_filters", ["owner_id", "page", "name"], unique=True)


def downgrade() -> None:
    op.drop_table("saved_filters")
    op.drop_index("ix_dead_letters_subject", table_name="dead_letters")
    op.drop_index("ix_tasks_unknown", table_name="tasks")
    op.drop_index("ix_tasks_unhappy_when", table_name="tasks")
    op.drop_index("ix_tasks_unhappy", table_name="tasks")
    op.drop_index("ix_runs_unhappy", table_name="runs")
    op.drop_index("ix_runs_rerun", table_name="runs")
    op.drop_index("ix_runs_requester", table_name="runs")
    op.drop_column("run_secrets", "sealed_for")
    op.drop_column("runs", "from_step")
    op.drop_column("runs", "only_targets")
    op.drop_constraint(op.f("ck_runs_trigger_known"), "runs")
    op.drop_column("runs", "trigger")
    op.drop_column("job_versions", "message")
    op.drop_column("job_versions", "source")
    op.drop_column("jobs", "inactive_reason")
    op.drop_column("users", "time_zone")
    op.drop_column("users", "name")
