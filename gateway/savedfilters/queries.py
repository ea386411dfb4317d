"""Reading saved filters."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.access.roles import Role
from contracts.errors import NotFound
from contracts.tables.access import UserRow
from contracts.tables.views import DefaultFilterRow, SavedFilterRow
from gateway.principals import Principal
from gateway.savedfilters.schemas import Room, SavedFilterView

SHOWN = 1_000


def _visible(caller: Principal) -> Select[SavedFilterRow, str, bool]:
    """One's own and those that others share, with the owner's name and whether it is the caller's default."""
    own_default = (DefaultFilterRow.filter_id == SavedFilterRow.id) & (
        DefaultFilterRow.user_id == caller.user_id
    )
    return (
        select(SavedFilterRow, UserRow.username, DefaultFilterRow.filter_id.is_not(None))
        .join(UserRow, UserRow.id == SavedFilterRow.owner_id)
        .outerjoin(DefaultFilterRow, own_default)
        .where(
            SavedFilterRow.project_id == caller.project_id,
            or_(SavedFilterRow.owner_id == caller.user_id, SavedFilterRow.shared),
        )
        .execution_options(populate_existing=True)
    )


async def list_filters(
    session: AsyncSession, caller: Principal, page: Room | None
) -> Sequence[SavedFilterView]:
    """By name."""
    query = _visible(caller).order_by(SavedFilterRow.name, SavedFilterRow.id).limit(SHOWN)
    if page is not None:
        query = query.where(SavedFilterRow.page == page)
    return [_view(row, caller) for row in await session.execute(query)]


async def filter_view(session: AsyncSession, caller: Principal, filter_id: UUID) -> SavedFilterView:
    """One that the caller sees; raises `NotFound`."""
    row = (await session.execute(_visible(caller).where(SavedFilterRow.id == filter_id))).one_or_none()
    if row is None:
        raise NotFound.of("saved filter", filter_id)
    return _view(row, caller)


def may_change(row: SavedFilterRow, caller: Principal) -> bool:
    """Its owner; administrators also what others share."""
    return row.owner_id == caller.user_id or (row.shared and caller.role is Role.ADMIN)


def _view(found: Row[SavedFilterRow, str, bool], caller: Principal) -> SavedFilterView:
    row, owner, default = found
    return SavedFilterView(
        id=row.id,
        page=row.page,
        name=row.name,
        query=row.query,
        shared=row.shared,
        own=row.owner_id == caller.user_id,
        changeable=may_change(row, caller),
        default=default,
        owner_name=owner,
        created_at=row.created_at,
    )
