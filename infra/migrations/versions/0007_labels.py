"""Labels of what documents describe: whose they are"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

_LABELLED = ("jobs", "targets", "credentials")


def upgrade() -> None:
    for table in _LABELLED:
        labels = sa.Column("labels", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
        op.add_column(table, labels)


def downgrade() -> None:
    for table in reversed(_LABELLED):
        op.drop_column(table, "labels")
