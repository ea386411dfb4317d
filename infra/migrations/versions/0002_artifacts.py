"""Artifacts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _artifacts()
    _pieces()
    _pulls()
    op.add_column("attempts", sa.Column("progress", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('writing', 'ready', 'deleted')", name=op.f("ck_artifacts_state_known")),
        sa.CheckConstraint("origin IN ('upload', 'step')", name=op.f("ck_artifacts_origin_known")),
        sa.CheckConstraint(
            "(state = 'ready') <= (sha256 IS NOT NULL)", name=op.f("ck_artifacts_ready_with_hash")
        ),
        sa.CheckConstraint(
            "(origin = 'step') = (task_id IS NOT NULL)", name=op.f("ck_artifacts_step_with_task")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_artifacts_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
    )
    for name, columns, condition in (
        ("ix_artifacts_page", ["project_id", "id"], "state = 'ready'"),
        ("ix_artifacts_run", ["run_id", "id"], "run_id IS NOT NULL"),
        ("ix_artifacts_expires", ["expires_at"], "expires_at IS NOT NULL"),
        ("ix_artifacts_going", ["touched_at"], "state <> 'ready'"),
    ):
        op.create_index(name, "artifacts", columns, postgresql_where=sa.text(condition))


def _pieces() -> None:
    op.create_table(
        "artifact_pieces",
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"],
            ["artifacts.id"],
            name=op.f("fk_artifact_pieces_artifact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("artifact_id", "number", name=op.f("pk_artifact_pieces")),
    )
    # Files are mostly compressed already: trying again would only cost time.
    op.execute("ALTER TABLE artifact_pieces ALTER COLUMN data SET STORAGE EXTERNAL")


def _pulls() -> None:
    op.create_table(
        "artifact_pulls",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["artifact_id"],
            ["artifacts.id"],
            name=op.f("fk_artifact_pulls_artifact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_artifact_pulls")),
    )
    op.create_index(op.f("ix_artifact_pulls_artifact_id"), "artifact_pulls", ["artifact_id"])
    op.create_index(op.f("ix_artifact_pulls_expires_at"), "artifact_pulls", ["expires_at"])


def downgrade() -> None:
    op.drop_column("attempts", "progress")
    op.drop_table("artifact_pulls")
    op.drop_table("artifact_pieces")
    op.drop_table("artifacts")
