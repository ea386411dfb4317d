"""Filters that people keep under a name, for themselves or for everybody."""

from uuid import UUID

from fastapi import APIRouter

from contracts.access.roles import Permission
from gateway.deps import Caller, Reading, Who, Writing
from gateway.permissions import OpsRoute, needs
from gateway.savedfilters import queries, service
from gateway.savedfilters.schemas import (
    Room,
    SavedFilterChange,
    SavedFilterCreate,
    SavedFilterList,
    SavedFilterView,
)

router = APIRouter(prefix="/api/v1/saved-filters", tags=["saved-filters"], route_class=OpsRoute)


@router.get("")
@needs(Permission.AUTHENTICATED)
async def list_saved_filters(session: Reading, caller: Caller, page: Room | None = None) -> SavedFilterList:
    """One's own and those that others share, by name."""
    return SavedFilterList(items=list(await queries.list_filters(session, caller, page)))


@router.post("", status_code=201)
@needs(Permission.AUTHENTICATED)
async def create_saved_filter(
    body: SavedFilterCreate, caller: Caller, who: Who, uow: Writing
) -> SavedFilterView:
    """Keep a filter; one's names differ from page to page at most. Sharing it needs `filters:share`."""
    filter_id = await service.keep_filter(uow, caller, who, body)
    return await queries.filter_view(uow.session, caller, filter_id)


@router.put("/{filter_id}")
@needs(Permission.AUTHENTICATED)
async def change_saved_filter(
    filter_id: UUID, body: SavedFilterChange, caller: Caller, who: Who, uow: Writing
) -> SavedFilterView:
    """Rename, overwrite or share one's own filter; administrators also what others share."""
    await service.change_filter(uow, caller, who, filter_id, body)
    return await queries.filter_view(uow.session, caller, filter_id)


@router.delete("/{filter_id}", status_code=204)
@needs(Permission.AUTHENTICATED)
async def delete_saved_filter(filter_id: UUID, caller: Caller, who: Who, uow: Writing) -> None:
    """Forget one's own filter; administrators also what others share."""
    await service.forget_filter(uow, caller, who, filter_id)


@router.put("/{filter_id}/default")
@needs(Permission.AUTHENTICATED)
async def set_default_filter(filter_id: UUID, caller: Caller, who: Who, uow: Writing) -> SavedFilterView:
    """Open its page with it from now on; only for oneself."""
    await service.open_with(uow, caller, who, filter_id)
    return await queries.filter_view(uow.session, caller, filter_id)


@router.delete("/{filter_id}/default", status_code=204)
@needs(Permission.AUTHENTICATED)
async def clear_default_filter(filter_id: UUID, caller: Caller, who: Who, uow: Writing) -> None:
    """Open its page without it."""
    await service.open_plainly(uow, caller, who, filter_id)
