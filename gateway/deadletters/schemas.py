"""What clients send and see of dead letters."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.tables.deadletters import DeadLetterStatus
from gateway.schemas import Reason, Strict


class DeadLetterView(BaseModel):
    """A dead letter in a list."""

    id: UUID
    queue: str
    wire_type: str | None
    reason: str
    first_error: str | None
    last_error: str | None
    attempts: int
    subject_kind: str | None
    subject_id: UUID | None
    status: DeadLetterStatus
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


class DeadLetterDetail(DeadLetterView):
    """With the message as it was; `body` is base64 when it is not text."""

    exchange: str
    routing_key: str
    headers: dict[str, Any]
    body: str
    body_encoding: Literal["text", "base64"]


class ReplayBody(Strict):
    """`body` is sent in place of the original one; it must be a message of the same type."""

    body: Annotated[dict[str, Any] | None, Field(max_length=100)] = None


class DiscardBody(Strict):
    reason: Reason
