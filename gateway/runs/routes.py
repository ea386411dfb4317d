"""Runs: asking for one, reading it, stopping it, and settling what stayed unknown."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from contracts.access.roles import Permission
from contracts.jobs.definition import step_name
from contracts.runs.states import RunStatus, TaskState
from gateway.deps import Caller, Deps, Key, Reading, Who, Writing
from gateway.paging import Cursor, Limit, Page, encode_cursor, int_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs
from gateway.runs import queries, service
from gateway.runs.log import LogFilter, log_pieces
from gateway.runs.queries import RunFilter
from gateway.runs.schemas import (
    RerunBody,
    ResolutionView,
    ResolveBody,
    RunAccepted,
    RunDetail,
    RunView,
    StepView,
)
from gateway.runs.steps import list_steps as read_steps

router = APIRouter(prefix="/api/v1", tags=["runs"], route_class=OpsRoute)

TargetQuery = Annotated[str | None, Query(max_length=253)]


@router.get("/runs")
@needs(Permission.RUNS_READ)
async def list_runs(
    *,
    session: Reading,
    caller: Caller,
    job_id: UUID | None = None,
    status: Annotated[list[RunStatus] | None, Query()] = None,
    target: TargetQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RunView]:
    wanted = RunFilter(job_id=job_id, status=status or (), target=target)
    rows = await queries.list_runs(session, caller.project_id, wanted, after=uuid_cursor(cursor), limit=limit)
    return page(rows, limit, lambda row: row, lambda row: encode_cursor(row.id))


@router.get("/runs/{run_id}")
@needs(Permission.RUNS_READ)
async def get_run(run_id: UUID, session: Reading, caller: Caller) -> RunDetail:
    return await queries.get_run(session, caller.project_id, run_id)


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


@router.get("/runs/{run_id}/log", response_class=Response)
@needs(Permission.RUNS_READ)
async def get_log(
    *,
    run_id: UUID,
    session: Reading,
    caller: Caller,
    deps: Deps,
    step: Annotated[str | None, Query(max_length=64)] = None,
    target: TargetQuery = None,
    stream: Literal["stdout", "stderr"] | None = None,
    format: Literal["text", "jsonl"] = "text",
) -> StreamingResponse:
    """All output stored so far, as text with headings or as one JSON object per chunk."""
    run, _ = await queries.find_run(session, caller.project_id, run_id)
    definition = await deps.definitions.one(session, run.job_id, run.job_version)
    places = {step_name(spec, index): index for index, spec in enumerate(definition.steps)}
    wanted = LogFilter(step_no=service.require_step(places, step), target=target, stream=stream)
    pieces = log_pieces(deps.sessions, run_id, definition, wanted, lines=format == "jsonl")
    media_type = "application/jsonl" if format == "jsonl" else "text/plain; charset=utf-8"
    return StreamingResponse(pieces, media_type=media_type, headers={"cache-control": "no-store"})


@router.post("/runs/{run_id}/cancel", status_code=202)
@needs(Permission.RUNS_CANCEL)
async def cancel_run(run_id: UUID, uow: Writing, who: Who) -> RunAccepted:
    """Ask for a run to stop; asking twice is fine. It has stopped when its status says so."""
    run = await service.cancel_run(uow, who, run_id)
    return RunAccepted(id=run.id, status=RunStatus(run.status))


@router.post("/runs/{run_id}/rerun", status_code=202)
@needs(Permission.RUNS_START)
async def rerun(
    *, run_id: UUID, deps: Deps, who: Who, key: Key, response: Response, body: RerunBody | None = None
) -> RunAccepted:
    """Run it again, everywhere or only where it did not succeed."""
    accepted = await service.rerun(deps, who, run_id, body or RerunBody(), key=key)
    response.headers["location"] = f"/api/v1/runs/{accepted.run_id}"
    return RunAccepted(id=accepted.run_id, status=accepted.status)


@router.post("/tasks/{task_id}/resolve")
@needs(Permission.RUNS_RESOLVE)
async def resolve_task(task_id: UUID, body: ResolveBody, uow: Writing, who: Who) -> ResolutionView:
    """Record what really became of a task that ended as unknown."""
    row = await service.resolve_task(uow, who, task_id, body)
    return ResolutionView(
        task_id=row.task_id,
        verdict="succeeded" if row.verdict == "succeeded" else "failed",
        reason=row.reason,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
    )
