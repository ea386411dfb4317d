"""Targets."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from contracts.access.roles import Permission
from contracts.tables.targets import TargetOs
from contracts.targets.query import QUERY_CHARACTERS
from gateway.deps import Caller, Key, Reading, Who, Writing
from gateway.etags import IfMatch
from gateway.paging import Cursor, Limit, Page, page
from gateway.permissions import OpsRoute, needs
from gateway.sorting import Order, Sort
from gateway.targets import queries, service
from gateway.targets.pinning import pin
from gateway.targets.queries import TargetFilter, TestOutcome, query_of
from gateway.targets.schemas import PinRequest, TargetSpec, TargetView
from gateway.targets.views import shown, shown_together

QUERY_HELP = (
    "such as `os:linux tag:role=web !name:old-* facts.memory_gb>8`; besides it, every filter must fit"
)

router = APIRouter(prefix="/api/v1/targets", tags=["targets"], route_class=OpsRoute)

TagQuery = Annotated[list[str], Query(max_length=20, description="`name` or `name=value`; repeatable")]
NameQuery = Annotated[str | None, Query(alias="name", max_length=253, description="part of the name")]
Force = Annotated[bool, Query(description="also while jobs or other targets name it: they fail then")]
TestQuery = Annotated[
    TestOutcome | None, Query(description="what the last test that ended said; `never` when there is none")
]
NameLike = Annotated[str | None, Query(alias="name~", max_length=253, description="the same as `name`")]


@router.post("", status_code=201)
@needs(Permission.TARGETS_WRITE)
async def create_target(body: TargetSpec, uow: Writing, who: Who, key: Key, response: Response) -> TargetView:
    """Add a machine."""
    row = await service.create_target(uow, who, body, key=key)
    response.headers["location"] = f"{router.prefix}/{row.id}"
    return await shown(uow.session, row, response)


@router.get("")
@needs(Permission.TARGETS_READ)
async def list_targets(
    *,
    session: Reading,
    caller: Caller,
    os: TargetOs | None = None,
    pool: Annotated[str | None, Query(max_length=32)] = None,
    name: NameQuery = None,
    name_like: NameLike = None,
    test: TestQuery = None,
    sort: Sort = "newest",
    limit: Limit = 50,
    cursor: Cursor = None,
    tag: TagQuery = [],  # noqa: B006  (FastAPI copies it)
    query: Annotated[str | None, Query(max_length=QUERY_CHARACTERS, description=QUERY_HELP)] = None,
) -> Page[TargetView]:
    """Targets with their last test and their last run."""
    wanted = TargetFilter(os=os, tag=tag, name=name_like or name, pool=pool, query=query_of(query), test=test)
    order = Order(sort, cursor)
    rows = await queries.list_targets(session, caller.project_id, wanted, order, limit=limit)
    views = await shown_together(session, rows)
    return page(rows, limit, lambda row: views[row.id], order.cursor)


@router.get("/{target_id}")
@needs(Permission.TARGETS_READ)
async def get_target(target_id: UUID, session: Reading, caller: Caller, response: Response) -> TargetView:
    return await shown(session, await queries.get_target(session, caller.project_id, target_id), response)


@router.put("/{target_id}")
@needs(Permission.TARGETS_WRITE)
async def replace_target(
    *, target_id: UUID, body: TargetSpec, uow: Writing, who: Who, response: Response, if_match: IfMatch = None
) -> TargetView:
    """Replace the target's description; what is left out goes back to its default."""
    row = await service.replace_target(uow, who, target_id, body, if_match=if_match)
    return await shown(uow.session, row, response)


@router.post("/{target_id}/pin")
@needs(Permission.TARGETS_WRITE)
async def pin_target(
    *,
    target_id: UUID,
    body: PinRequest,
    uow: Writing,
    who: Who,
    response: Response,
    if_match: IfMatch = None,
) -> TargetView:
    """Trust from now on exactly the host key or certificate that a finished test of the target saw."""
    return await shown(uow.session, await pin(uow, who, target_id, body, if_match=if_match), response)


@router.delete("/{target_id}", status_code=204)
@needs(Permission.TARGETS_WRITE)
async def delete_target(
    *, target_id: UUID, uow: Writing, who: Who, if_match: IfMatch = None, force: Force = False
) -> None:
    """Take a target out of use; its past runs stay. Refused while jobs or ways name it, unless forced."""
    await service.archive_target(uow, who, target_id, if_match=if_match, force=force)
