"""Reading runs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from contracts.access.roles import Permission
from contracts.runs.states import RunStatus, TaskState
from gateway.deps import Caller, Deps, Reading
from gateway.paging import Cursor, Limit, Page, encode_cursor, int_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs
from gateway.runs import queries
from gateway.runs.filters import RunFilter
from gateway.runs.schemas import RunDetail, RunView, StepView
from gateway.runs.steps import list_steps as read_steps

router = APIRouter(prefix="/api/v1", tags=["runs"], route_class=OpsRoute)

TargetQuery = Annotated[str | None, Query(max_length=253)]


@router.get("/runs")
@needs(Permission.RUNS_READ)
async def list_runs(
    *,
    session: Reading,
    caller: Caller,
    deps: Deps,
    job_id: UUID | None = None,
    status: Annotated[list[RunStatus] | None, Query(description="repeatable")] = None,
    target: TargetQuery = None,
    requested_by: Annotated[str | None, Query(max_length=100, description="`me`, or a principal")] = None,
    since: Annotated[datetime | None, Query(description="requested at this time or later")] = None,
    until: Annotated[datetime | None, Query(description="requested before this time")] = None,
    q: Annotated[str | None, Query(max_length=200, description="part of a job's name, or of an id")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RunView]:
    """Runs, the newest first."""
    wanted = RunFilter(
        job_id=job_id,
        status=status or (),
        target=target,
        requested_by=caller.id if requested_by == "me" else requested_by,
        since=since,
        until=until,
        q=q,
    )
    rows = await queries.list_runs(
        session, deps.definitions, caller.project_id, wanted, after=uuid_cursor(cursor), limit=limit
    )
    return page(rows, limit, lambda row: row, lambda row: encode_cursor(row.id))


@router.get("/runs/{run_id}")
@needs(Permission.RUNS_READ)
async def get_run(run_id: UUID, session: Reading, caller: Caller, deps: Deps) -> RunDetail:
    """One run: what was asked for, how far it is, how it ended."""
    return await queries.get_run(session, deps.definitions, caller.project_id, run_id)


@router.get("/runs/{run_id}/steps")
@needs(Permission.RUNS_READ)
async def list_steps(
    *,
    run_id: UUID,
    session: Reading,
    caller: Caller,
    deps: Deps,
    status: TaskState | None = None,
    target: TargetQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[StepView]:
    """The tasks of a run with the beginning of their output."""
    run, _ = await queries.find_run(session, caller.project_id, run_id)
    definition = await deps.definitions.one(session, run.job_id, run.job_version)
    rows = await read_steps(
        session, run_id, definition, after=int_cursor(cursor, 2), limit=limit, state=status, target=target
    )
    return page(rows, limit, lambda row: row[0], lambda row: encode_cursor(*row[1]))
