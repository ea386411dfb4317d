"""Filters a room opens with, and workers that take no more work"""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("workers", sa.Column("draining_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "default_filters",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("filter_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_default_filters_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["filter_id"], ["saved_filters.id"], name=op.f("fk_default_filters_filter_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "page", name=op.f("pk_default_filters")),
    )
    op.create_index(op.f("ix_default_filters_filter_id"), "default_filters", ["filter_id"], unique=False)


def downgrade() -> None:
    op.drop_table("default_filters")
    op.drop_column("workers", "draining_at")
