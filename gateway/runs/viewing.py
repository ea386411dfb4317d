"""What the page of one run shows: its matrix, failures, story, definition, tasks and output."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from contracts.access.roles import Permission
from contracts.errors import Conflict
from contracts.jobs.definition import JobDefinition, step_name
from contracts.runs.states import TaskState
from gateway.access.queries import names_of
from gateway.deps import Caller, Deps, Reading
from gateway.jobs.queries import get_version
from gateway.jobs.written import as_written
from gateway.live.frames import Cursor as Place
from gateway.live.frames import parse_event_id
from gateway.live.reading import stream_epoch
from gateway.live.routes import Ticket
from gateway.paging import Cursor, decode_cursor, encode_cursor
from gateway.permissions import OpsRoute, needs
from gateway.runs import matrix, queries, service, tasks
from gateway.runs.failures import FailuresView, read_failures
from gateway.runs.log import JsonLines, LogFilter, LogRange, PlainText, log_pieces
from gateway.runs.logplaces import MAX_LINE, LogPlace, place_of
from gateway.runs.logtext import LogText
from gateway.runs.matrix import MatrixView
from gateway.runs.tasks import TaskDetail
from gateway.runs.trail import TrailView, read_trail

router = APIRouter(prefix="/api/v1", tags=["runs"], route_class=OpsRoute)

MAX_ROWS = 1_000
MAX_CHUNKS = 10_000
LogCursor = Annotated[str | None, Query(max_length=100, description="`id` of a line, or of a stream event")]


class CursorReset(Conflict):
    """The cursor belongs to an earlier life of the database; begin anew."""

    code = "cursor_reset"


class RunDefinitionView(BaseModel):
    """The definition this run follows. `source` is the YAML as its author wrote it, if it was YAML."""

    job_id: UUID
    job_name: str
    version: int
    current: bool
    definition: dict[str, Any]
    source: str | None
    message: str | None
    created_by: str
    created_by_name: str | None
    created_at: datetime


@router.get("/runs/{run_id}/matrix", response_model_exclude_none=True)
@needs(Permission.RUNS_READ)
async def get_matrix(
    *,
    run_id: UUID,
    session: Reading,
    caller: Caller,
    deps: Deps,
    status: Annotated[list[TaskState] | None, Query(description="rows with any such task")] = None,
    q: Annotated[str | None, Query(max_length=253, description="part of the target's name")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS, description="Targets on one page.")] = 200,
    cursor: Cursor = None,
) -> MatrixView:
    """A run as targets by steps."""
    run, _ = await queries.find_run(session, caller.project_id, run_id)
    definition = await deps.definitions.one(session, run.job_id, run.job_version)
    after = decode_cursor(cursor, 2)[1] if cursor is not None else None
    rows = await matrix.read_rows(session, run_id, after=after, states=status or (), q=q, limit=limit)
    more = len(rows) > limit
    return MatrixView(
        steps=matrix.steps_of(definition),
        items=rows[:limit],
        next_cursor=encode_cursor("after", rows[limit - 1].target or "") if more else None,
    )


@router.get("/runs/{run_id}/failures")
@needs(Permission.RUNS_READ)
async def get_failures(run_id: UUID, session: Reading, caller: Caller, deps: Deps) -> FailuresView:
    """What went wrong, grouped by cause."""
    run, _ = await queries.find_run(session, caller.project_id, run_id)
    definition = await deps.definitions.one(session, run.job_id, run.job_version)
    return await read_failures(session, run_id, definition)


@router.get("/runs/{run_id}/trail")
@needs(Permission.RUNS_READ)
async def get_trail(run_id: UUID, session: Reading, caller: Caller, deps: Deps) -> TrailView:
    """Why it went as it did, in the order of time."""
    run, _ = await queries.find_run(session, caller.project_id, run_id)
    definition = await deps.definitions.one(session, run.job_id, run.job_version)
    return await read_trail(session, run, definition)


@router.get("/runs/{run_id}/definition")
@needs(Permission.RUNS_READ)
async def get_run_definition(run_id: UUID, session: Reading, caller: Caller) -> RunDefinitionView:
    """The version of the job that this run follows."""
    run, job_name = await queries.find_run(session, caller.project_id, run_id)
    version = await get_version(session, run.job_id, run.job_version)
    names = await names_of(session, [version.created_by])
    return RunDefinitionView(
        job_id=run.job_id,
        job_name=job_name,
        version=version.version,
        current=version.version == await queries.current_version(session, run.job_id),
        definition=as_written(version.definition, version.source),
        source=version.source,
        message=version.message,
        created_by=version.created_by,
        created_by_name=names.get(version.created_by),
        created_at=version.created_at,
    )


@router.get("/tasks/{task_id}")
@needs(Permission.RUNS_READ)
async def get_task(task_id: UUID, session: Reading, caller: Caller, deps: Deps) -> TaskDetail:
    """One step on one target with every attempt."""
    return await tasks.get_task(session, deps.definitions, caller.project_id, task_id)


@router.get("/runs/{run_id}/log", response_class=Response)
@needs(Permission.RUNS_READ, ticket=True)
async def get_log(
    *,
    run_id: UUID,
    session: Reading,
    caller: Caller,
    deps: Deps,
    step: Annotated[str | None, Query(max_length=64)] = None,
    target: Annotated[str | None, Query(max_length=253)] = None,
    stream: Literal["stdout", "stderr"] | None = None,
    attempt: Annotated[int | None, Query(ge=1, le=32_767)] = None,
    format: Literal["text", "jsonl"] = "text",
    after: LogCursor = None,
    before: LogCursor = None,
    tail: Annotated[bool, Query(description="the last chunks, not the first")] = False,
    limit: Annotated[int | None, Query(ge=1, le=MAX_CHUNKS, description="Chunks at most")] = None,
    timestamps: Annotated[bool, Query(description="text: a time before every line")] = False,
    ansi: Annotated[bool, Query(description="text: keep colours and other escape sequences")] = True,
    download: Annotated[bool, Query(description="as a file")] = False,
    ticket: Ticket = None,
) -> StreamingResponse:
    """Output stored so far: a plain text page with headings, or one JSON object per chunk (`jsonl`).

    A range (`after`, `before`, `tail` or `limit` given) ends where a live stream can go on: open
    `/runs/{run_id}/events` with the last line's `id` as Last-Event-ID, and nothing is missed or repeated.
    """
    run, _ = await queries.find_run(session, caller.project_id, run_id)
    definition = await deps.definitions.one(session, run.job_id, run.job_version)
    step_no = service.require_step(_numbers(definition), step)
    epoch = await stream_epoch(deps.sessions)
    part = LogRange(
        after=_place(after, epoch),
        before=_place(before, epoch),
        backwards=tail or before is not None,
        limit=limit,
        settled=bool(after or before or tail or limit),
    )
    lines = format == "jsonl"
    text = LogText(timestamps=timestamps, ansi=ansi)
    writer = JsonLines(definition, epoch) if lines else PlainText(definition, text)
    wanted = LogFilter(step_no=step_no, target=target, stream=stream, attempt=attempt)
    return StreamingResponse(
        log_pieces(deps.sessions, run_id, wanted, part, writer),
        media_type="application/jsonl" if lines else "text/plain; charset=utf-8",
        headers=_headers(f"run-{run_id}.{'jsonl' if lines else 'txt'}" if download else None),
    )


@router.get("/runs/{run_id}/log/place")
@needs(Permission.RUNS_READ)
async def get_log_place(
    *,
    run_id: UUID,
    session: Reading,
    caller: Caller,
    deps: Deps,
    line: Annotated[int, Query(ge=1, le=MAX_LINE, description="counted from 1")],
    step: Annotated[str | None, Query(max_length=64)] = None,
    target: Annotated[str | None, Query(max_length=253)] = None,
) -> LogPlace:
    """Where a line of the log stands: read on from there, and nothing before it has to be read."""
    run, _ = await queries.find_run(session, caller.project_id, run_id)
    definition = await deps.definitions.one(session, run.job_id, run.job_version)
    wanted = LogFilter(step_no=service.require_step(_numbers(definition), step), target=target)
    return await place_of(deps.sessions, run_id, wanted, line, await stream_epoch(deps.sessions))


def _numbers(definition: JobDefinition) -> dict[str, int]:
    """The number of each step by its name."""
    return {step_name(spec, index): index for index, spec in enumerate(definition.steps)}


def _place(cursor: str | None, epoch: int) -> Place | None:
    if not cursor:
        return None
    place = parse_event_id(cursor, epoch)
    if place is None:
        raise CursorReset("The cursor is none of this database's; read the log from its beginning.")
    return place


def _headers(file: str | None) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    return headers | ({"content-disposition": f'attachment; filename="{file}"'} if file else {})
