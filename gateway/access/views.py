"""Users as clients see them."""

from contracts.access.roles import Role
from contracts.tables.access import UserRow
from gateway.access.schemas import UserView


def user_view(row: UserRow) -> UserView:
    """Without anything secret."""
    return UserView(
        id=row.id,
        username=row.username,
        name=row.name,
        role=Role(row.role),
        active=row.active,
        must_change_password=row.must_change_password,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
