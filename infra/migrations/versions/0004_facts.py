"""Facts of targets, and runs whose targets a query chooses"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("targets", sa.Column("facts", postgresql.JSONB()))
    op.add_column("targets", sa.Column("facts_at", sa.DateTime(timezone=True)))
    op.add_column("runs", sa.Column("target_query", postgresql.JSONB()))


def downgrade() -> None:
    op.drop_column("runs", "target_query")
    op.drop_column("targets", "facts_at")
    op.drop_column("targets", "facts")
