"""What people do with the filters they keep. No HTTP in here."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.access.roles import Permission, allows
from contracts.errors import Conflict, Forbidden, NameTaken, NotFound
from contracts.tables.views import DefaultFilterRow, SavedFilterRow
from gateway.auditing import audit
from gateway.deps import Actor
from gateway.principals import Principal
from gateway.savedfilters.queries import filter_view, may_change
from gateway.savedfilters.schemas import SavedFilterChange, SavedFilterCreate
from infra.ids import uuid7
from infra.unit_of_work import UnitOfWork

KEPT_PER_PERSON = 200


async def keep_filter(uow: UnitOfWork, caller: Principal, who: Actor, body: SavedFilterCreate) -> UUID:
    """The id of the new one; raises `NameTaken`, or `Forbidden` for sharing without the right to."""
    await _require_room(uow.session, caller)
    if body.shared:
        _require_sharing(caller)
    row = SavedFilterRow(
        id=uuid7(), project_id=caller.project_id, owner_id=caller.user_id, **body.model_dump()
    )
    uow.session.add(row)
    await _flush(uow, body.name)
    await audit(uow, who, "saved_filters.create", "saved_filter", row.id, name=row.name, shared=row.shared)
    return row.id


async def change_filter(
    uow: UnitOfWork, caller: Principal, who: Actor, filter_id: UUID, body: SavedFilterChange
) -> None:
    """Rename it, let it say something else, or share it."""
    row = await _to_change(uow, caller, filter_id)
    if body.shared is False and row.owner_id != caller.user_id:
        raise Forbidden("Only its owner can keep it to themselves; you can delete it for everybody.")
    row.name = body.name or row.name
    row.query = row.query if body.query is None else body.query
    row.shared = row.shared if body.shared is None else body.shared
    if row.shared:
        _require_sharing(caller)
    await _flush(uow, row.name)
    await audit(uow, who, "saved_filters.change", "saved_filter", row.id, name=row.name, shared=row.shared)


async def forget_filter(uow: UnitOfWork, caller: Principal, who: Actor, filter_id: UUID) -> None:
    row = await _to_change(uow, caller, filter_id)
    await uow.session.delete(row)
    await audit(uow, who, "saved_filters.delete", "saved_filter", row.id, name=row.name)


async def open_with(uow: UnitOfWork, caller: Principal, who: Actor, filter_id: UUID) -> None:
    """Its page opens with it for the caller from now on, in place of another."""
    view = await filter_view(uow.session, caller, filter_id)
    statement = insert(DefaultFilterRow).values(user_id=caller.user_id, page=view.page, filter_id=filter_id)
    await uow.session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "page"], set_={"filter_id": statement.excluded.filter_id}
        )
    )
    await audit(uow, who, "saved_filters.open-with", "saved_filter", filter_id, page=view.page)


async def open_plainly(uow: UnitOfWork, caller: Principal, who: Actor, filter_id: UUID) -> None:
    """Its page opens without it for the caller; asking twice changes nothing."""
    gone = await uow.session.scalar(
        delete(DefaultFilterRow)
        .where(DefaultFilterRow.user_id == caller.user_id, DefaultFilterRow.filter_id == filter_id)
        .returning(DefaultFilterRow.page)
    )
    if gone is not None:
        await audit(uow, who, "saved_filters.open-plainly", "saved_filter", filter_id, page=gone)


async def _to_change(uow: UnitOfWork, caller: Principal, filter_id: UUID) -> SavedFilterRow:
    row = await uow.session.get(SavedFilterRow, filter_id, with_for_update=True)
    if row is None or not (row.owner_id == caller.user_id or row.shared):
        raise NotFound.of("saved filter", filter_id)
    if not may_change(row, caller):
        raise Forbidden("It is somebody else's; only its owner or an administrator can change or delete it.")
    return row


def _require_sharing(caller: Principal) -> None:
    if not allows(caller.role, Permission.FILTERS_SHARE):
        raise Forbidden(
            f"Sharing a filter needs the permission {Permission.FILTERS_SHARE.value}, which a {caller.role} "
            "does not have; keep it for yourself."
        )


async def _require_room(session: AsyncSession, caller: Principal) -> None:
    owned = select(SavedFilterRow.id).where(SavedFilterRow.owner_id == caller.user_id)
    if len((await session.scalars(owned.limit(KEPT_PER_PERSON))).all()) >= KEPT_PER_PERSON:
        raise Conflict(f"You keep {KEPT_PER_PERSON} filters already; delete one first.")


async def _flush(uow: UnitOfWork, name: str) -> None:
    try:
        await uow.session.flush()
    except IntegrityError as error:
        raise NameTaken(f"A filter named {name} is kept already; choose another name.") from error
