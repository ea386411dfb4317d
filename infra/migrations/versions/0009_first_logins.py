"""First logins with a credential: trials under way, and proofs that it was accepted"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "first_logins",
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("proven_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("credential_id", "version", "target_id"),
    )
    op.create_index(
        "uq_first_logins_alone",
        "first_logins",
        ["credential_id", "version"],
        unique=True,
        postgresql_where=sa.text("alone"),
    )


def downgrade() -> None:
    op.drop_table("first_logins")
