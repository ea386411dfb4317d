"""Making ready tasks ours: the claim is the start.

Tasks without a target are taken in one statement. Those with one need a free session there as well (`seats`);
they are picked and locked first, and a second statement of the same transaction takes those that get a seat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from infra.database import Statements
from workers.executor import seats

_TOLD = """
    told AS (
        INSERT INTO run_events (run_id, kind, event)
        SELECT run_id, 'tasks', jsonb_build_object('tasks', jsonb_agg(jsonb_build_object(
                   'task', id, 'step_no', step_no, 'target', target_name,
                   'state', 'running', 'attempt', attempt)))
          FROM taken GROUP BY run_id)
"""
_PICK = """
    WITH alive AS (
        SELECT id FROM workers
         WHERE id = :worker_id AND lease_until > now() AND released_at IS NULL FOR KEY SHARE),
    picked AS (
        SELECT t.id, t.target_id FROM tasks AS t JOIN runs AS r ON r.id = t.run_id
         WHERE t.state = 'ready' AND t.parked_by IS NULL AND t.not_before <= now()
           AND t.pool = ANY(CAST(:pools AS text[])) AND r.cancel_requested_at IS NULL
           AND EXISTS (SELECT 1 FROM alive) {which}
         ORDER BY t.not_before, t.id LIMIT :limit FOR UPDATE OF t SKIP LOCKED),
    taken AS (
        UPDATE tasks SET state = 'running', worker_id = :worker_id, fence = fence + 1,
               attempt = attempt + 1, started_at = COALESCE(started_at, now())
          FROM picked WHERE tasks.id = picked.id AND picked.target_id IS NULL
        RETURNING tasks.*),
    begun AS (
        INSERT INTO attempts (task_id, number, run_id, worker_id, state)
        SELECT id, attempt, run_id, :worker_id, 'running' FROM taken),
    {told}
    SELECT id, true AS ours FROM taken
    UNION ALL
    SELECT id, false FROM picked WHERE target_id IS NOT NULL
"""
_TAKE_SEATED = """
    WITH {seated},
    taken AS (
        UPDATE tasks SET state = 'running', worker_id = :worker_id, fence = fence + 1,
               attempt = attempt + 1, started_at = COALESCE(started_at, now())
          FROM admitted WHERE tasks.id = admitted.id
        RETURNING tasks.*, admitted.credential_id),
    begun AS (
        INSERT INTO attempts (task_id, number, run_id, worker_id, state, target_version,
                              credential_id, credential_version)
        SELECT taken.id, taken.attempt, taken.run_id, :worker_id, 'running', g.version,
               c.id, c.current_version
          FROM taken LEFT JOIN targets AS g ON g.id = taken.target_id
          LEFT JOIN credentials AS c ON c.id = taken.credential_id),
    {told}
    SELECT id, NULL::uuid AS full_target FROM taken
    UNION ALL
    SELECT id, target_id FROM wanting WHERE id NOT IN (SELECT id FROM admitted)
"""


def _pick(which: str) -> TextClause:
    return text(_PICK.format(which=which, told=_TOLD))


_PICK_NAMED = _pick("AND t.id = ANY(CAST(:ids AS uuid[]))")
_PICK_NEXT = _pick("")
_TAKE = text(_TAKE_SEATED.format(seated=seats.SEATED, told=_TOLD))
_PICK_ELSEWHERE = _pick("AND (t.target_id IS NULL OR t.target_id <> ALL(CAST(:full AS uuid[])))")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a claim got hold of."""

    ids: list[UUID]
    picked: int
    """Tasks that were looked at; those that are not ours stay ready."""
    full: frozenset[UUID]
    """Targets of these: they take no further session of their account just now."""


async def claim(
    session: Statements,
    *,
    worker_id: UUID,
    pools: Sequence[str],
    limit: int,
    named: Sequence[UUID] = (),
    full: frozenset[UUID] = frozenset(),
) -> Claims:
    """Make up to `limit` ready tasks ours: those named, else the next not of a `full` target."""
    values: dict[str, Any] = {"worker_id": worker_id, "pools": list(pools), "limit": limit}
    if named:
        rows = await session.execute(_PICK_NAMED, values | {"ids": list(named)})
    elif full:
        rows = await session.execute(_PICK_ELSEWHERE, values | {"full": list(full)})
    else:
        rows = await session.execute(_PICK_NEXT, values)
    picked = [(row.id, row.ours) for row in rows]
    ids = [task_id for task_id, ours in picked if ours]
    waiting = [task_id for task_id, ours in picked if not ours]
    if not waiting:
        return Claims(ids, len(picked), frozenset())
    taken = list(await session.execute(_TAKE, {"worker_id": worker_id, "ids": waiting}))
    ids += [row.id for row in taken if row.full_target is None]
    return Claims(ids, len(picked), frozenset(row.full_target for row in taken if row.full_target))
