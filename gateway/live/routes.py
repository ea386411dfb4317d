"""Server-sent events."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from contracts.access.roles import Permission, allows
from contracts.errors import FieldProblem, Forbidden, Invalid
from gateway.deps import Caller, Deps, deps_of
from gateway.live.rooms import NEEDED, ROOMS, Room
from gateway.live.stream import EventStream
from gateway.live.tickets import TICKET_SECONDS
from gateway.permissions import OpsRoute, needs
from gateway.principals import Principal

router = APIRouter(prefix="/api/v1", tags=["live"], route_class=OpsRoute)

MAX_TOPICS = 50

LastEventId = Annotated[str | None, Query(max_length=100, description="the same as the Last-Event-ID header")]
Ticket = Annotated[str | None, Query(max_length=100, description="from POST /api/v1/events/ticket")]


class TicketView(BaseModel):
    """Good for one stream within `expires_in` seconds."""

    ticket: str
    expires_in: int


@router.post("/events/ticket")
@needs(Permission.RUNS_READ)
async def issue_ticket(caller: Caller, deps: Deps) -> TicketView:
    """A ticket to open one stream with, for clients that cannot send a header."""
    return TicketView(ticket=deps.tickets.issue(caller), expires_in=int(TICKET_SECONDS))


@router.get("/runs/{run_id}/events", response_class=Response)
@needs(Permission.RUNS_READ, ticket=True)
async def run_events(
    run_id: UUID, request: Request, last_event_id: LastEventId = None, ticket: Ticket = None
) -> EventStream:
    """Follow one run: events `output`, `tasks`, `run`, `delayed`, `reset`; ends after the run has."""
    return await _stream(request, [run_id], last_event_id, runs=False)


@router.get("/events", response_class=Response)
@needs(Permission.RUNS_READ, ticket=True)
async def events(
    request: Request,
    topics: Annotated[
        str,
        Query(max_length=4_000, description="`run:<id>`, `runs`, `queues`, `workers`, `dlq`, `targets`"),
    ] = "runs",
    last_event_id: LastEventId = None,
    ticket: Ticket = None,
) -> EventStream:
    """Follow several runs, status and progress of all of them, and pictures of queues, workers, dead letters
    and targets in one stream; topics are comma-separated."""
    names = list(dict.fromkeys(name.strip() for name in topics.split(",") if name.strip()))
    rooms = [room for room in ROOMS if room in names]
    run_ids = [_run_id(name) for name in names if name != "runs" and name not in rooms]
    principal: Principal = request.scope["principal"]
    for room in rooms:
        if not allows(principal.role, NEEDED[room]):
            raise Forbidden(f"The topic {room} needs the permission {NEEDED[room].value}.")
    if not names or len(run_ids) > MAX_TOPICS:
        raise _bad_topics(f"name 1 to {MAX_TOPICS} topics")
    return await _stream(request, run_ids, last_event_id, runs="runs" in names, rooms=rooms)


async def _stream(
    request: Request,
    run_ids: list[UUID],
    last_event_id: str | None,
    *,
    runs: bool,
    rooms: Sequence[Room] = (),
) -> EventStream:
    principal: Principal = request.scope["principal"]
    return EventStream(
        deps_of(request),
        principal,
        run_ids=run_ids,
        runs=runs,
        rooms=rooms,
        last_event_id=request.headers.get("last-event-id") or last_event_id,
    )


def _run_id(topic: str) -> UUID:
    kind, _, run_id = topic.partition(":")
    try:
        if kind == "run":
            return UUID(run_id)
    except ValueError:
        pass  # refused below like any other unknown topic
    raise _bad_topics(f"{topic[:80]!r} is none of run:<id>, runs, {', '.join(ROOMS)}")


def _bad_topics(reason: str) -> Invalid:
    return Invalid("The topics are not valid.", problems=[FieldProblem("topics", reason)])
