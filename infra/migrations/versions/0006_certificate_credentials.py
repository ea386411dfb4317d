"""Credentials that are certificates"""

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

NAME = "ck_credentials_type_known"


def upgrade() -> None:
    op.drop_constraint(op.f(NAME), "credentials", type_="check")
    op.create_check_constraint(
        op.f(NAME), "credentials", "type IN ('winrm', 'ssh', 'api_key', 'certificate')"
    )


def downgrade() -> None:
    """Refused by the database while there are certificates among the credentials."""
    op.drop_constraint(op.f(NAME), "credentials", type_="check")
    op.create_check_constraint(op.f(NAME), "credentials", "type IN ('winrm', 'ssh', 'api_key')")
