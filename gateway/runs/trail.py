"""Why a run went as it did: everything that was asked, decided, lost and settled, in the order of time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.jobs.definition import JobDefinition, step_name
from contracts.runs.states import RunStatus
from contracts.tables.runs import RunRow
from gateway.access.queries import names_of

MAX_OF_A_KIND = 200

_AUDIT = text("""
    SELECT occurred_at AS at, principal, action, detail FROM audit WHERE subject_id = :run_id
     ORDER BY id LIMIT :limit
""")
_STATES = text("""
    SELECT at, status, reason FROM (
        SELECT occurred_at AS at, event ->> 'status' AS status, event ->> 'reason' AS reason,
               lag(event ->> 'status') OVER (ORDER BY xid, id) AS before
          FROM run_events WHERE run_id = :run_id AND kind = 'run') AS changes
     WHERE status IS DISTINCT FROM before ORDER BY at LIMIT :limit
""")
_ATTEMPTS = text("""
    SELECT a.task_id, a.number, a.started_at, a.ended_at, a.state, a.losses, a.reattached, w.host,
           t.step_no, t.target_name, a.error ->> 'code' AS code
      FROM attempts AS a JOIN tasks AS t ON t.id = a.task_id LEFT JOIN workers AS w ON w.id = a.worker_id
     WHERE a.run_id = :run_id AND (a.losses > 0 OR a.reattached > 0 OR a.number > 1)
     ORDER BY a.started_at LIMIT :limit
""")
_LETTERS = text("""
    SELECT id, created_at, queue, last_error, reason, status, resolved_at, resolved_by, resolution
      FROM dead_letters
     WHERE subject_id = :run_id
        OR subject_id IN (SELECT id FROM tasks WHERE run_id = :run_id AND parked_by IS NOT NULL)
     ORDER BY id LIMIT :limit
""")
_RESOLUTIONS = text("""
    SELECT r.task_id, r.verdict, r.reason, r.resolved_by, r.resolved_at, t.step_no, t.target_name
      FROM resolutions AS r JOIN tasks AS t ON t.id = r.task_id
     WHERE r.run_id = :run_id ORDER BY r.resolved_at LIMIT :limit
""")
_RERUNS = text("""
    SELECT id, requested_at, requested_by, only_targets, from_step FROM runs WHERE rerun_of = :run_id
     ORDER BY id LIMIT :limit
""")

_STATUS_WORDS = {
    "requested": "The request was accepted and stored.",
    "waiting": "It waits to be let in.",
    "running": "An orchestrator planned it and released its first tasks.",
    "paused": "It was paused.",
    "cancelling": "Nothing more starts; what runs is being stopped.",
    "succeeded": "It ended: everything succeeded.",
    "partial": "It ended: some steps that may fail did.",
    "failed": "It ended as failed.",
    "cancelled": "It ended as cancelled.",
    "unknown": "It ended, and of something nobody knows how.",
}
_ACTION_WORDS = {
    "runs.request": "asked for this run",
    "runs.cancel": "asked for it to stop",
}

Kind = Literal["audit", "state", "attempt", "dead_letter", "resolution", "rerun"]


class TrailItem(BaseModel):
    """One thing that happened, in words; `task_id`, `run_id` and `letter_id` lead on to what it is about."""

    at: datetime
    kind: Kind
    text: str
    status: RunStatus | None = None
    """What the run became, for `state`."""
    who: str | None = None
    who_name: str | None = None
    task_id: UUID | None = None
    run_id: UUID | None = None
    letter_id: UUID | None = None


class TrailView(BaseModel):
    """In the order of time; `truncated` when there is more of a kind than is shown. The correlation id
    stands in every message and log line of this story."""

    correlation_id: UUID
    rerun_of: UUID | None
    items: list[TrailItem]
    truncated: bool


async def read_trail(session: AsyncSession, run: RunRow, definition: JobDefinition) -> TrailView:
    """The story of a run."""
    values = {"run_id": run.id, "limit": MAX_OF_A_KIND + 1}
    items: list[TrailItem] = []
    truncated = False
    for statement, tell in _KINDS:
        rows = (await session.execute(statement, values)).all()
        truncated = truncated or len(rows) > MAX_OF_A_KIND
        items += [item for row in rows[:MAX_OF_A_KIND] for item in tell(row, definition)]
    names = await names_of(session, (item.who for item in items if item.who))
    for item in items:
        item.who_name = names.get(item.who or "")
    return TrailView(
        correlation_id=run.correlation_id,
        rerun_of=run.rerun_of,
        items=sorted(items, key=lambda item: item.at),
        truncated=truncated,
    )


def _audited(row: Row[Any], _: JobDefinition) -> Iterable[TrailItem]:
    words = _ACTION_WORDS.get(row.action, f"did {row.action}")
    yield TrailItem(at=row.at, kind="audit", text=f"Somebody {words}.", who=row.principal)


def _changed(row: Row[Any], _: JobDefinition) -> Iterable[TrailItem]:
    words = _STATUS_WORDS.get(row.status, f"It became {row.status}.")
    words = f"{words} {row.reason}" if row.reason else words
    yield TrailItem(at=row.at, kind="state", text=words, status=RunStatus(row.status))


def _tried(row: Row[Any], definition: JobDefinition) -> Iterable[TrailItem]:
    place, host = _place(row, definition), f" on {row.host}" if row.host else ""
    if row.number > 1:
        words = f"Attempt {row.number} at {place} began{host}."
        yield TrailItem(at=row.started_at, kind="attempt", text=words, task_id=row.task_id)
    if row.losses or row.reattached:
        parts = [
            _times(row.losses, "its worker was lost"),
            _times(row.reattached, "another one took it over"),
        ]
        told = " and ".join(part for part in parts if part)
        words = f"During attempt {row.number} at {place} {told}; it is {row.state} now."
        yield TrailItem(at=row.ended_at or row.started_at, kind="attempt", text=words, task_id=row.task_id)


def _buried(row: Row[Any], _: JobDefinition) -> Iterable[TrailItem]:
    why = row.last_error or row.reason
    words = f"A message about it could not be handled in {row.queue} and was set aside: {why}"
    yield TrailItem(at=row.created_at, kind="dead_letter", text=words, letter_id=row.id)
    if row.resolved_at is not None:
        because = f": {row.resolution}" if row.resolution else "."
        words = f"The message that was set aside was {row.status}{because}"
        yield TrailItem(
            at=row.resolved_at, kind="dead_letter", text=words, letter_id=row.id, who=row.resolved_by
        )


def _settled(row: Row[Any], definition: JobDefinition) -> Iterable[TrailItem]:
    words = f"{_place(row, definition)} was settled as {row.verdict}: {row.reason}"
    yield TrailItem(
        at=row.resolved_at, kind="resolution", text=words, task_id=row.task_id, who=row.resolved_by
    )


def _repeated(row: Row[Any], _: JobDefinition) -> Iterable[TrailItem]:
    parts = []
    if row.only_targets is not None:
        parts.append(f"on {len(row.only_targets)} of its targets")
    if row.from_step is not None:
        parts.append(f"from step {row.from_step + 1} on")
    words = " ".join(["It was repeated", *parts]) + "."
    yield TrailItem(at=row.requested_at, kind="rerun", text=words, run_id=row.id, who=row.requested_by)


_KINDS: tuple[tuple[Any, Any], ...] = (
    (_AUDIT, _audited),
    (_STATES, _changed),
    (_ATTEMPTS, _tried),
    (_LETTERS, _buried),
    (_RESOLUTIONS, _settled),
    (_RERUNS, _repeated),
)


def _place(row: Row[Any], definition: JobDefinition) -> str:
    step = step_name(definition.steps[row.step_no], row.step_no)
    return f"{step} on {row.target_name}" if row.target_name else step


def _times(count: int, words: str) -> str:
    if not count:
        return ""
    return words if count == 1 else f"{words} {count} times"
