"""Dead letters by cause, and one decision about many of them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator
from sqlalchemy import text

from contracts.access.roles import Permission
from contracts.errors import OpsError
from contracts.tables.deadletters import DeadLetterRow, DeadLetterStatus
from gateway.deadletters import service
from gateway.deps import Actor, Deps, Reading, Who
from gateway.permissions import OpsRoute, needs
from gateway.schemas import Reason, Strict
from infra.unit_of_work import UnitOfWork

router = APIRouter(prefix="/api/v1/dlq", tags=["deadletters"], route_class=OpsRoute)

MAX_LETTERS = 200

_GROUPS = text("""
    SELECT queue, wire_type, pattern, count(*) AS count, min(created_at) AS first_at,
           max(created_at) AS last_at, min(error) AS error,
           (array_agg(id ORDER BY id DESC))[1:200] AS letter_ids
      FROM (SELECT id, queue, wire_type, created_at, COALESCE(last_error, reason) AS error,
                   regexp_replace(left(COALESCE(last_error, reason), 500),
                                  '[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9]+', '#', 'g') AS pattern
              FROM dead_letters WHERE status = 'open' ORDER BY id DESC LIMIT 10000) AS letters
     GROUP BY queue, wire_type, pattern ORDER BY count(*) DESC, max(created_at) DESC LIMIT 100
""")


class LetterGroup(BaseModel):
    """Open dead letters of one queue that died alike; the newest 200 of them by id."""

    queue: str
    wire_type: str | None
    pattern: str
    error: str
    count: int
    first_at: datetime
    last_at: datetime
    letter_ids: list[UUID]


class LetterGroups(BaseModel):
    items: list[LetterGroup]
    next_cursor: None = None


class BulkLetters(Strict):
    """A discard needs its reason."""

    action: Literal["replay", "discard"]
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_LETTERS)]
    reason: Reason | None = None

    @model_validator(mode="after")
    def _reason_given(self) -> "BulkLetters":
        if self.action == "discard" and self.reason is None:
            raise ValueError("a discard needs a reason")
        return self


class BulkLetterItem(BaseModel):
    id: UUID
    ok: bool
    status: DeadLetterStatus | None
    code: str | None
    detail: str | None


class BulkLettersView(BaseModel):
    done: int
    failed: int
    items: list[BulkLetterItem]


@router.get("/groups")
@needs(Permission.DEADLETTERS_READ)
async def list_dead_letter_groups(session: Reading) -> LetterGroups:
    """Open dead letters by queue and cause, the largest group first."""
    rows = (await session.execute(_GROUPS)).mappings()
    return LetterGroups(items=[LetterGroup(**row) for row in rows])


@router.post("/bulk")
@needs(Permission.DEADLETTERS_WRITE)
async def bulk_dead_letters(body: BulkLetters, deps: Deps, who: Who) -> BulkLettersView:
    """Replay or discard up to 200 dead letters; each is told by itself."""
    items = [await _one(deps.open_uow, who, letter_id, body) for letter_id in dict.fromkeys(body.ids)]
    done = sum(item.ok for item in items)
    return BulkLettersView(done=done, failed=len(items) - done, items=items)


async def _one(open_uow: Any, who: Actor, letter_id: UUID, body: BulkLetters) -> BulkLetterItem:
    try:
        async with open_uow() as uow:
            row = await _decide(body)(uow, who, letter_id)
            status = DeadLetterStatus(row.status)
    except OpsError as error:
        return BulkLetterItem(id=letter_id, ok=False, status=None, code=error.code, detail=str(error))
    return BulkLetterItem(id=letter_id, ok=True, status=status, code=None, detail=None)


def _decide(body: BulkLetters) -> Callable[[UnitOfWork, Actor, UUID], Awaitable[DeadLetterRow]]:
    if body.action == "replay":
        return service.replay
    reason = body.reason or ""
    return lambda uow, who, letter_id: service.discard(uow, who, letter_id, reason)
