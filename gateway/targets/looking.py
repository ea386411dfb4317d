"""What lists and pages of targets read beside the targets themselves."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from contracts.access.roles import Permission
from gateway.deps import Caller, Deps, Reading
from gateway.history import ChangeView, read_history
from gateway.paging import Cursor, Limit, Page, encode_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs
from gateway.runs.filters import RunFilter
from gateway.runs.queries import list_runs
from gateway.runs.schemas import RunView
from gateway.targets import queries
from gateway.targets.uses import TargetUses, uses_of

router = APIRouter(prefix="/api/v1/targets", tags=["targets"], route_class=OpsRoute)

SHOWN = 1_000

_TAGS = text(f"""
    SELECT tag.key AS name, tag.value, count(*) AS count
      FROM targets, jsonb_each_text(tags) AS tag
     WHERE project_id = :project_id AND archived_at IS NULL
     GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2 LIMIT {SHOWN}
""")  # noqa: S608  (a constant)
_POOLS = text("""
    SELECT pool AS name, count(*) AS count FROM targets WHERE project_id = :project_id AND archived_at IS NULL
     GROUP BY pool ORDER BY pool
""")


class TagCount(BaseModel):
    """A tag as `name=value`, or a plain word with an empty value, and how many targets have it."""

    name: str
    value: str
    count: int


class PoolCount(BaseModel):
    name: str
    count: int


class PickerView(BaseModel):
    """What targets can be picked by."""

    tags: list[TagCount]
    pools: list[PoolCount]


@router.get("/tags")
@needs(Permission.TARGETS_READ)
async def list_target_tags(session: Reading, caller: Caller) -> PickerView:
    """Tags and pools that targets have, with how many of them."""
    values: dict[str, Any] = {"project_id": caller.project_id}
    tags = (await session.execute(_TAGS, values)).mappings()
    pools = (await session.execute(_POOLS, values)).mappings()
    return PickerView(tags=[TagCount(**row) for row in tags], pools=[PoolCount(**row) for row in pools])


@router.get("/{target_id}/uses")
@needs(Permission.TARGETS_READ)
async def list_target_uses(target_id: UUID, session: Reading, caller: Caller) -> TargetUses:
    """Jobs that name it or whose query selects it now, and targets that are reached through it."""
    return await uses_of(session, await queries.get_target(session, caller.project_id, target_id))


@router.get("/{target_id}/history")
@needs(Permission.TARGETS_READ)
async def list_target_changes(
    *, target_id: UUID, session: Reading, caller: Caller, limit: Limit = 20, cursor: Cursor = None
) -> Page[ChangeView]:
    """Who changed what of it and when, the newest first."""
    target = await queries.get_target(session, caller.project_id, target_id)
    return await read_history(session, "target", target.id, cursor=cursor, limit=limit)


@router.get("/{target_id}/runs")
@needs(Permission.RUNS_READ)
async def list_target_runs(
    *, target_id: UUID, session: Reading, caller: Caller, deps: Deps, limit: Limit = 20, cursor: Cursor = None
) -> Page[RunView]:
    """Runs that had a task on this target, the newest first."""
    target = await queries.get_target(session, caller.project_id, target_id)
    rows = await list_runs(
        session,
        deps.definitions,
        caller.project_id,
        RunFilter(target_id=target.id),
        after=uuid_cursor(cursor),
        limit=limit,
    )
    return page(rows, limit, lambda row: row, lambda row: encode_cursor(row.id))
