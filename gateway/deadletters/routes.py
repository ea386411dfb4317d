"""Dead letters."""

import base64
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from contracts.access.roles import Permission
from contracts.tables.deadletters import DeadLetterRow, DeadLetterStatus
from gateway.deadletters import queries, service
from gateway.deadletters.schemas import DeadLetterDetail, DeadLetterView, DiscardBody, ReplayBody
from gateway.deps import Reading, Who, Writing
from gateway.paging import Cursor, Limit, Page, encode_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs

router = APIRouter(prefix="/api/v1/dlq", tags=["deadletters"], route_class=OpsRoute)


@router.get("")
@needs(Permission.DEADLETTERS_READ)
async def list_dead_letters(
    session: Reading, status: DeadLetterStatus | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[DeadLetterView]:
    rows = await queries.list_dead_letters(session, status=status, after=uuid_cursor(cursor), limit=limit)
    return page(rows, limit, lambda row: DeadLetterView(**_fields(row)), lambda row: encode_cursor(row.id))


@router.get("/{letter_id}")
@needs(Permission.DEADLETTERS_READ)
async def get_dead_letter(letter_id: UUID, session: Reading) -> DeadLetterDetail:
    row = await queries.get_dead_letter(session, letter_id)
    try:
        body, is_text = row.body.decode(), b"\0" not in row.body
    except UnicodeDecodeError:
        body, is_text = "", False
    return DeadLetterDetail(
        **_fields(row),
        exchange=row.exchange,
        routing_key=row.routing_key,
        headers=row.headers,
        body=body if is_text else base64.b64encode(row.body).decode(),
        body_encoding="text" if is_text else "base64",
    )


@router.post("/{letter_id}/replay")
@needs(Permission.DEADLETTERS_WRITE)
async def replay(letter_id: UUID, uow: Writing, who: Who, body: ReplayBody | None = None) -> DeadLetterView:
    """Send the message again, as it was or edited, to where it came from; its subject is worked on again."""
    edited = body.body if body is not None else None
    return DeadLetterView(**_fields(await service.replay(uow, who, letter_id, edited=edited)))


@router.post("/{letter_id}/discard")
@needs(Permission.DEADLETTERS_WRITE)
async def discard(letter_id: UUID, body: DiscardBody, uow: Writing, who: Who) -> DeadLetterView:
    """Give the message up; its subject ends as failed."""
    return DeadLetterView(**_fields(await service.discard(uow, who, letter_id, body.reason)))


def _fields(row: DeadLetterRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DeadLetterView.model_fields}
