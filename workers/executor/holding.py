"""The tasks this executor holds: left-behind ones adopted, and all that is needed to act on them read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from infra.database import Statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A task this worker holds, with all it needs to act."""

    id: UUID
    run_id: UUID
    project_id: UUID
    step_no: int
    attempt: int
    fence: int
    pool: str
    age_seconds: float
    job_id: UUID
    job_version: int
    parameters: dict[str, Any]
    correlation_id: UUID
    requested_by: str
    cancel_requested: bool
    handle: dict[str, Any] | None
    reattached: int
    losses: int
    target: dict[str, Any] | None
    credential: dict[str, Any] | None
    over: bool = False
    """The task has ended: no attempt of it comes after this one."""
    jumps: Sequence[Mapping[str, Any]] = ()
    """The jump hosts on the way to the target with their sealed credentials, the nearest to it first."""

    @property
    def definition_key(self) -> tuple[UUID, int]:
        return self.job_id, self.job_version

    @property
    def host(self) -> str:
        """The address of its target, for words that people read."""
        return str(self.target["hostname"]) if self.target else "this executor"

    @property
    def user(self) -> str:
        """Whom it logs in as, for words that people read."""
        return str(self.credential["username"]) if self.credential else "nobody"

    @property
    def hold(self) -> tuple[UUID, int]:
        return self.id, self.fence


_ADOPT = text("""
    WITH alive AS (
        SELECT id FROM workers
         WHERE id = :worker_id AND lease_until > now() AND released_at IS NULL FOR KEY SHARE),
    picked AS (
        SELECT id FROM tasks
         WHERE state = 'running' AND worker_id IS NULL AND parked_by IS NULL
           AND pool = ANY(CAST(:pools AS text[])) AND EXISTS (SELECT 1 FROM alive)
         ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE tasks SET worker_id = :worker_id, fence = fence + 1
          FROM picked WHERE tasks.id = picked.id
        RETURNING tasks.id, tasks.attempt),
    seated AS (
        UPDATE seats SET worker_id = :worker_id
          FROM taken WHERE seats.task_id = taken.id AND seats.attempt = taken.attempt),
    counted AS (
        UPDATE attempts SET reattached = reattached + 1, worker_id = :worker_id
          FROM taken WHERE attempts.task_id = taken.id AND attempts.number = taken.attempt)
    SELECT id FROM taken
""")

_HELD = """
    SELECT t.id, t.run_id, r.project_id, t.step_no, a.number AS attempt, t.fence, t.pool,
           EXTRACT(EPOCH FROM now() - a.started_at)::float8 AS age_seconds,
           r.job_id, r.job_version, r.parameters, r.correlation_id, r.requested_by,
           r.cancel_requested_at IS NOT NULL AS cancel_requested,
           a.handle, a.reattached, a.losses, t.ended_at IS NOT NULL AS over,
           CASE WHEN g.id IS NOT NULL THEN jsonb_build_object(
               'id', g.id, 'name', g.name, 'hostname', g.hostname, 'os', g.os,
               'winrm', g.winrm, 'ssh', g.ssh) END AS target,
           c.id AS credential_id, c.type AS credential_type, c.username,
           CASE WHEN c.held_version IS NULL OR c.held_version = a.credential_version
                THEN c.held_reason END AS held_reason,
           h.reason AS held_here,
           v.version AS credential_version, v.key_id, v.wrapped_key, v.nonce, v.ciphertext
      FROM tasks AS t
      JOIN runs AS r ON r.id = t.run_id
      JOIN attempts AS a ON a.task_id = t.id AND {number}
      LEFT JOIN targets AS g ON g.id = t.target_id
      LEFT JOIN credentials AS c ON c.id = a.credential_id
      LEFT JOIN credential_versions AS v
             ON v.credential_id = a.credential_id AND v.version = a.credential_version
      LEFT JOIN credential_holds AS h
             ON h.credential_id = a.credential_id AND h.version = a.credential_version
            AND h.target_id = t.target_id
     WHERE {which}
"""


def _held(which: str) -> TextClause:
    ours = "t.worker_id = :worker_id AND t.state = 'running'"
    return text(_HELD.format(number="a.number = t.attempt", which=f"{ours} AND {which}"))


_HELD_NAMED = _held("t.id = ANY(CAST(:ids AS uuid[]))")
_HELD_UNKNOWN = _held(
    """NOT EXISTS (
        SELECT 1 FROM unnest(CAST(:ids AS uuid[]), CAST(:fences AS bigint[])) AS k (id, fence)
         WHERE k.id = t.id AND k.fence = t.fence)"""
)
_ENDED = text(
    _HELD.format(
        number="""(a.task_id, a.number) IN (
            SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS smallint[])))""",
        which="a.ended_at IS NOT NULL",
    )
)

_CREDENTIAL = (
    "credential_id",
    "credential_type",
    "username",
    "held_reason",
    "held_here",
    "credential_version",
    "key_id",
    "wrapped_key",
    "nonce",
    "ciphertext",
)


async def adopt(session: Statements, *, worker_id: UUID, pools: Sequence[str], limit: int) -> list[UUID]:
    """Make up to `limit` tasks ours that lost workers left behind running."""
    values = {"worker_id": worker_id, "pools": list(pools), "limit": limit}
    return list(await session.scalars(_ADOPT, values))


async def held(session: Statements, *, worker_id: UUID, named: Sequence[UUID]) -> list[Claimed]:
    """Those of the tasks that this worker holds, with all that is needed to act."""
    rows = await session.execute(_HELD_NAMED, {"worker_id": worker_id, "ids": list(named)})
    return [_claimed(row) for row in rows.mappings()]


async def held_unknown(
    session: Statements, *, worker_id: UUID, known: Iterable[tuple[UUID, int]]
) -> list[Claimed]:
    """Every task of this worker that it does not know of: claims whose answer was lost.

    `known` are tasks with the fences under which they are known: the next attempt of a task is news.
    """
    holds = list(known)
    rows = await session.execute(
        _HELD_UNKNOWN,
        {
            "worker_id": worker_id,
            "ids": [task_id for task_id, _ in holds],
            "fences": [fence for _, fence in holds],
        },
    )
    return [_claimed(row) for row in rows.mappings()]


async def ended(session: Statements, attempts: Sequence[tuple[UUID, int]]) -> list[Claimed]:
    """Attempts (task, number) that are over, with all that is needed to go back to their targets."""
    rows = await session.execute(
        _ENDED,
        {"ids": [task_id for task_id, _ in attempts], "numbers": [number for _, number in attempts]},
    )
    return [_claimed(row) for row in rows.mappings()]


def _claimed(row: Mapping[str, Any]) -> Claimed:
    credential = {name: row[name] for name in _CREDENTIAL} if row["credential_id"] else None
    own = {name: row[name] for name in row if name not in _CREDENTIAL}
    return Claimed(**own, credential=credential)
