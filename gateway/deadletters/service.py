"""Giving a dead letter another chance, or giving its subject up. No HTTP in here."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError
from sqlalchemy import text

from contracts.errors import Conflict
from contracts.messages import SCHEMA_VERSION, Message, known_messages
from contracts.runs.messages import AdvanceRun, CancelRequested
from contracts.runs.states import RunStatus, TaskState, sources_of
from contracts.tables.deadletters import DeadLetterRow, DeadLetterStatus
from gateway.auditing import audit
from gateway.deadletters.queries import get_dead_letter
from gateway.deps import Actor
from infra.clock import now
from infra.unit_of_work import UnitOfWork, new_meta

_UNPARK_RUN = text("UPDATE runs SET parked_by = NULL WHERE id = :subject AND parked_by = :letter")
_UNPARK_TASK = text("UPDATE tasks SET parked_by = NULL WHERE id = :subject AND parked_by = :letter")
_UNPARK_TEST = text(
    "UPDATE connection_tests SET parked_by = NULL WHERE id = :subject AND parked_by = :letter"
)
_UNPARK = {"run": _UNPARK_RUN, "task": _UNPARK_TASK, "connection_test": _UNPARK_TEST}
_FAIL_TEST = text("""
    UPDATE connection_tests
       SET status = 'failed', ended_at = now(), error = CAST(:error AS jsonb), parked_by = NULL
     WHERE id = :subject AND parked_by = :letter AND status = 'requested'
""")
_FAIL_RUN = text("""
    WITH failed AS (
        UPDATE runs SET status = 'failed', ended_at = now(), reason = :reason, parked_by = NULL,
               wake_at = NULL,
               cancel_requested_at = COALESCE(cancel_requested_at, now()),
               cancel_requested_by = COALESCE(cancel_requested_by, :principal)
         WHERE id = :subject AND parked_by = :letter AND status = ANY(CAST(:sources AS text[]))
        RETURNING id),
    dropped AS (
        UPDATE tasks SET state = 'cancelled', ended_at = now(), parked_by = NULL FROM failed
         WHERE tasks.run_id = failed.id AND tasks.state IN ('pending', 'ready')),
    told AS (
        INSERT INTO run_events (run_id, kind, event)
        SELECT id, 'run', jsonb_build_object('status', 'failed', 'reason', CAST(:reason AS text)) FROM failed)
    SELECT id FROM failed
""")
_FAIL_TASK = text("""
    WITH failed AS (
        UPDATE tasks SET state = 'failed', ended_at = now(), error = CAST(:error AS jsonb), unplanned = true,
               parked_by = NULL, worker_id = NULL, fence = fence + 1
         WHERE id = :subject AND parked_by = :letter AND state = ANY(CAST(:sources AS text[]))
        RETURNING id, run_id, step_no, target_name, attempt, error),
    closed AS (
        UPDATE attempts SET state = 'failed', ended_at = now(), error = CAST(:error AS jsonb) FROM failed
         WHERE attempts.task_id = failed.id AND attempts.number = failed.attempt
           AND attempts.ended_at IS NULL),
    told AS (
        INSERT INTO run_events (run_id, kind, event)
        SELECT run_id, 'tasks', jsonb_build_object('tasks', jsonb_build_array(jsonb_build_object(
                   'task', id, 'step_no', step_no, 'target', target_name, 'state', 'failed',
                   'attempt', attempt, 'error', error)))
          FROM failed)
    SELECT run_id FROM failed
""")


class NotReplayable(Conflict):
    code = "not_replayable"


async def replay(
    uow: UnitOfWork, who: Actor, letter_id: UUID, *, edited: Mapping[str, Any] | None = None
) -> DeadLetterRow:
    """Send the original message again and let its subject be found; asking twice replays once.

    An `edited` body goes out in place of the original one, to the same exchange and key; the letter keeps
    what it was. Raises `NotReplayable` for a body that is no message of this system or would go elsewhere,
    `Conflict` once discarded.
    """
    row = await get_dead_letter(uow.session, letter_id, to_change=True)
    if row.status == DeadLetterStatus.REPLAYED.value:
        return row
    _require_open(row)
    message = _message_of(row, edited)
    uow.emit(message, new_meta(principal=who.principal, correlation_id=_correlation(row)))
    if row.subject_id is not None:
        unpark = _UNPARK[row.subject_kind or "run"]
        await uow.session.execute(unpark, {"subject": row.subject_id, "letter": row.id})
    _close(row, DeadLetterStatus.REPLAYED, who, None)
    await audit(
        uow, who, "deadletters.replay", "dead_letter", row.id, wire_type=row.wire_type,
        edited=edited is not None,
    )  # fmt: skip
    return row


async def discard(uow: UnitOfWork, who: Actor, letter_id: UUID, reason: str) -> DeadLetterRow:
    """Give up: the parked subject ends as failed with this reason. Asking twice changes nothing."""
    row = await get_dead_letter(uow.session, letter_id, to_change=True)
    if row.status == DeadLetterStatus.DISCARDED.value:
        return row
    _require_open(row)
    if row.subject_id is not None and row.subject_kind == "run":
        await _fail_run(uow, who, row, reason)
    elif row.subject_id is not None and row.subject_kind == "task":
        await _fail_task(uow, who, row, reason)
    elif row.subject_id is not None and row.subject_kind == "connection_test":
        values = {"subject": row.subject_id, "letter": row.id, "error": _dead(reason)}
        await uow.session.execute(_FAIL_TEST, values)
    _close(row, DeadLetterStatus.DISCARDED, who, reason)
    await audit(uow, who, "deadletters.discard", "dead_letter", row.id, reason=reason)
    return row


async def _fail_run(uow: UnitOfWork, who: Actor, row: DeadLetterRow, reason: str) -> None:
    failed = await uow.session.scalar(
        _FAIL_RUN,
        {
            "subject": row.subject_id,
            "letter": row.id,
            "principal": who.principal,
            "reason": f"A message about it was discarded: {reason}",
            "sources": [status.value for status in sources_of(RunStatus.FAILED)],
        },
    )
    if failed is not None:
        uow.emit(CancelRequested(run_id=failed), new_meta(principal=who.principal))
        uow.touch(failed)


async def _fail_task(uow: UnitOfWork, who: Actor, row: DeadLetterRow, reason: str) -> None:
    run_id = await uow.session.scalar(
        _FAIL_TASK,
        {
            "subject": row.subject_id,
            "letter": row.id,
            "error": _dead(reason),
            "sources": [state.value for state in sources_of(TaskState.FAILED)],
        },
    )
    if run_id is not None:
        uow.emit(AdvanceRun(run_id=run_id), new_meta(principal=who.principal))
        uow.touch(run_id)


def _dead(reason: str) -> str:
    error = {
        "code": "dead_lettered",
        "message": f"A message about it was discarded: {reason}",
        "hint": "The dead letter tells which error kept it from being handled.",
    }
    return orjson.dumps(error).decode()


def _message_of(row: DeadLetterRow, edited: Mapping[str, Any] | None) -> Message:
    message_type = known_messages().get(row.wire_type or "")
    if message_type is None:
        raise NotReplayable(f"{row.wire_type!r} is no message of this system; it can only be discarded.")
    version = str(row.headers.get("schema-version", SCHEMA_VERSION))
    if version != str(SCHEMA_VERSION):
        raise NotReplayable(
            f"It was written in schema version {version}, and this gateway writes {SCHEMA_VERSION}: "
            "replay it when every process has been brought to the newer version."
        )
    try:
        body = row.body if edited is None else orjson.dumps(edited)
        message = message_type.model_validate_json(body)
    except ValidationError as error:
        raise NotReplayable(
            f"The body is not a {row.wire_type} ({error.error_count()} fields are wrong); discard it."
        ) from None
    if edited is not None and (message.exchange, message.routing_key) != (row.exchange, row.routing_key):
        raise NotReplayable(
            f"As edited the message would go to {message.routing_key}, not back to {row.routing_key}."
        )
    return message


def _correlation(row: DeadLetterRow) -> UUID | None:
    value: Any = row.headers.get("correlation_id") or row.headers.get("correlation-id")
    try:
        return UUID(str(value))
    except ValueError:
        return None  # a foreign envelope: the replay begins a story of its own


def _require_open(row: DeadLetterRow) -> None:
    if row.status != DeadLetterStatus.OPEN.value:
        raise Conflict(f"The dead letter was {row.status} by {row.resolved_by} already.")


def _close(row: DeadLetterRow, status: DeadLetterStatus, who: Actor, reason: str | None) -> None:
    row.status, row.resolved_at, row.resolved_by, row.resolution = status.value, now(), who.principal, reason
