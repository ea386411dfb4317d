"""What executors read and write, in lists: claims, handles, output and settlements.

Everything after the claim is guarded by (task, fence, worker): a worker that lost a task changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.runs.states import TASK_TERMINAL, TaskState
from infra.database import Statements
from workers.executor.output import Chunk


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

    @property
    def definition_key(self) -> tuple[UUID, int]:
        return self.job_id, self.job_version

    @property
    def hold(self) -> tuple[UUID, int]:
        return self.id, self.fence


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ended and what that makes of its task."""

    task_id: UUID
    run_id: UUID
    attempt: int
    fence: int
    task_state: TaskState
    attempt_state: TaskState
    exit_code: int | None = None
    error: dict[str, Any] | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    truncated: bool = False
    output_incomplete: bool = False
    correlation_id: UUID
    requested_by: str


_READY = """
    SELECT t.id FROM tasks AS t JOIN runs AS r ON r.id = t.run_id
     WHERE t.state = 'ready' AND t.parked_by IS NULL AND t.not_before <= now()
       AND t.pool = ANY(CAST(:pools AS text[])) AND r.cancel_requested_at IS NULL
       AND EXISTS (SELECT 1 FROM alive) {named}
     ORDER BY t.not_before, t.id LIMIT :limit FOR UPDATE OF t SKIP LOCKED
"""
_CLAIM = """
    WITH alive AS (
        SELECT id FROM workers
         WHERE id = :worker_id AND lease_until > now() AND released_at IS NULL FOR KEY SHARE),
    picked AS ({ready}),
    taken AS (
        UPDATE tasks SET state = 'running', worker_id = :worker_id, fence = fence + 1,
               attempt = attempt + 1, started_at = COALESCE(started_at, now())
          FROM picked WHERE tasks.id = picked.id
        RETURNING tasks.*),
    begun AS (
        INSERT INTO attempts (task_id, number, run_id, worker_id, state, target_version,
                              credential_id, credential_version)
        SELECT taken.id, taken.attempt, taken.run_id, :worker_id, 'running', g.version,
               c.id, c.current_version
          FROM taken LEFT JOIN targets AS g ON g.id = taken.target_id
          LEFT JOIN credentials AS c ON c.id = g.credential_id),
    told AS (
        INSERT INTO run_events (run_id, kind, event)
        SELECT run_id, 'tasks', jsonb_build_object('tasks', jsonb_agg(jsonb_build_object(
                   'task', id, 'step_no', step_no, 'target', target_name,
                   'state', 'running', 'attempt', attempt)))
          FROM taken GROUP BY run_id)
    SELECT id FROM taken
"""
_CLAIM_NAMED = text(_CLAIM.format(ready=_READY.format(named="AND t.id = ANY(CAST(:ids AS uuid[]))")))
_CLAIM_NEXT = text(_CLAIM.format(ready=_READY.format(named="")))

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
    counted AS (
        UPDATE attempts SET reattached = reattached + 1, worker_id = :worker_id
          FROM taken WHERE attempts.task_id = taken.id AND attempts.number = taken.attempt)
    SELECT id FROM taken
""")

_HELD = """
    SELECT t.id, t.run_id, r.project_id, t.step_no, t.attempt, t.fence, t.pool,
           EXTRACT(EPOCH FROM now() - a.started_at)::float8 AS age_seconds,
           r.job_id, r.job_version, r.parameters, r.correlation_id, r.requested_by,
           r.cancel_requested_at IS NOT NULL AS cancel_requested,
           a.handle, a.reattached, a.losses,
           CASE WHEN g.id IS NOT NULL THEN jsonb_build_object(
               'id', g.id, 'name', g.name, 'hostname', g.hostname, 'os', g.os,
               'winrm', g.winrm, 'ssh', g.ssh) END AS target,
           c.id AS credential_id, c.type AS credential_type, c.username, c.held_reason,
           v.version AS credential_version, v.key_id, v.wrapped_key, v.nonce, v.ciphertext
      FROM tasks AS t
      JOIN runs AS r ON r.id = t.run_id
      JOIN attempts AS a ON a.task_id = t.id AND a.number = t.attempt
      LEFT JOIN targets AS g ON g.id = t.target_id
      LEFT JOIN credentials AS c ON c.id = a.credential_id
      LEFT JOIN credential_versions AS v
             ON v.credential_id = a.credential_id AND v.version = a.credential_version
     WHERE t.worker_id = :worker_id AND t.state = 'running' AND {which}
"""
_HELD_NAMED = text(_HELD.format(which="t.id = ANY(CAST(:ids AS uuid[]))"))
_HELD_UNKNOWN = text(
    _HELD.format(
        which="""NOT EXISTS (
            SELECT 1 FROM unnest(CAST(:ids AS uuid[]), CAST(:fences AS bigint[])) AS k (id, fence)
             WHERE k.id = t.id AND k.fence = t.fence)"""
    )
)

_CREDENTIAL = (
    "credential_id",
    "credential_type",
    "username",
    "held_reason",
    "credential_version",
    "key_id",
    "wrapped_key",
    "nonce",
    "ciphertext",
)


async def claim(
    session: Statements, *, worker_id: UUID, pools: Sequence[str], limit: int, named: Sequence[UUID] = ()
) -> list[UUID]:
    """Make up to `limit` ready tasks ours (those named, else the next ones): the claim is the start."""
    values: dict[str, Any] = {"worker_id": worker_id, "pools": list(pools), "limit": limit}
    if named:
        return list(await session.scalars(_CLAIM_NAMED, values | {"ids": list(named)}))
    return list(await session.scalars(_CLAIM_NEXT, values))


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


def _claimed(row: Mapping[str, Any]) -> Claimed:
    credential = {name: row[name] for name in _CREDENTIAL} if row["credential_id"] else None
    own = {name: row[name] for name in row if name not in _CREDENTIAL}
    return Claimed(**own, credential=credential)


async def audit_credential_use(session: Statements, tasks: Sequence[Claimed]) -> None:
    """One audit row per credential that is about to be opened, in the claiming transaction."""
    used = [task for task in tasks if task.credential is not None]
    if not used:
        return
    await session.execute(
        text("""
            INSERT INTO audit (principal, action, subject_kind, subject_id, project_id, detail)
            SELECT w.principal, 'credential.use', 'credential', w.credential, w.project, w.detail::jsonb
              FROM unnest(CAST(:principals AS text[]), CAST(:credentials AS uuid[]),
                          CAST(:projects AS uuid[]), CAST(:details AS text[]))
                   AS w (principal, credential, project, detail)
        """),
        {
            "principals": [task.requested_by for task in used],
            "credentials": [task.credential["credential_id"] for task in used if task.credential],
            "projects": [task.project_id for task in used],
            "details": [_use(task) for task in used],
        },
    )


def _use(task: Claimed) -> str:
    return orjson.dumps(
        {
            "run_id": task.run_id,
            "task_id": task.id,
            "attempt": task.attempt,
            "target": task.target and task.target["name"],
            "version": task.credential and task.credential["credential_version"],
        },
        default=str,
    ).decode()


async def sealed_parameters(session: Statements, run_id: UUID) -> list[dict[str, Any]]:
    """The sealed secret parameters of a run."""
    rows = await session.execute(
        text("SELECT name, key_id, wrapped_key, nonce, ciphertext FROM run_secrets WHERE run_id = :id"),
        {"id": run_id},
    )
    return [dict(row) for row in rows.mappings()]


async def stored_output(session: Statements, task_id: UUID, attempt: int) -> tuple[int, dict[str, int]]:
    """The next chunk number of an attempt, and per stream how much of the target's output is stored."""
    rows = await session.execute(
        text("""
            SELECT stream, max(seq) AS seq, max(source_end) AS source_end FROM output_chunks
             WHERE task_id = :task_id AND attempt = :attempt GROUP BY stream
        """),
        {"task_id": task_id, "attempt": attempt},
    )
    found = list(rows)
    return max((row.seq + 1 for row in found), default=0), {row.stream: row.source_end for row in found}


async def store_handles(
    session: Statements, *, worker_id: UUID, handles: Sequence[tuple[UUID, int, int, str]]
) -> set[UUID]:
    """Store (task, attempt, fence, handle as JSON); the tasks that are still ours."""
    rows = await session.scalars(
        text("""
            WITH w AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS smallint[]),
                           CAST(:fences AS bigint[]), CAST(:handles AS text[]))
                       AS w (id, attempt, fence, handle)),
            ours AS (
                SELECT t.id FROM tasks AS t JOIN w ON w.id = t.id AND w.fence = t.fence
                 WHERE t.state = 'running' AND t.worker_id = :worker_id ORDER BY t.id FOR SHARE OF t),
            stored AS (
                UPDATE attempts SET handle = w.handle::jsonb FROM w JOIN ours ON ours.id = w.id
                 WHERE attempts.task_id = w.id AND attempts.number = w.attempt)
            SELECT id FROM ours
        """),
        {
            "worker_id": worker_id,
            "ids": [task_id for task_id, _, _, _ in handles],
            "attempts": [attempt for _, attempt, _, _ in handles],
            "fences": [fence for _, _, fence, _ in handles],
            "handles": [handle for _, _, _, handle in handles],
        },
    )
    return set(rows)


async def store_chunks(session: Statements, *, worker_id: UUID, chunks: Sequence[Chunk]) -> set[UUID]:
    """Append output; the tasks that are still ours. A chunk that was stored before is recognised."""
    rows = await session.scalars(
        text("""
            WITH w AS (SELECT * FROM unnest(CAST(:tasks AS uuid[]), CAST(:runs AS uuid[]),
                           CAST(:attempts AS int[]), CAST(:fences AS bigint[]), CAST(:seqs AS int[]),
                           CAST(:streams AS text[]), CAST(:datas AS text[]), CAST(:ends AS bigint[]),
                           CAST(:times AS timestamptz[]))
                       WITH ORDINALITY
                       AS w (task_id, run_id, attempt, fence, seq, stream, data, source_end, at, place)),
            ours AS (
                SELECT t.id, t.fence FROM tasks AS t
                 WHERE t.id IN (SELECT task_id FROM w) AND t.state = 'running' AND t.worker_id = :worker_id
                 ORDER BY t.id FOR SHARE),
            stored AS (
                INSERT INTO output_chunks
                       (task_id, run_id, attempt, seq, stream, data, source_end, occurred_at)
                SELECT w.task_id, run_id, attempt, seq, stream, data, source_end, at
                  FROM w JOIN ours ON ours.id = w.task_id AND ours.fence = w.fence
                 ORDER BY place
                ON CONFLICT DO NOTHING)
            SELECT DISTINCT w.task_id FROM w JOIN ours ON ours.id = w.task_id AND ours.fence = w.fence
        """),
        {
            "worker_id": worker_id,
            "tasks": [chunk.task_id for chunk in chunks],
            "runs": [chunk.run_id for chunk in chunks],
            "attempts": [chunk.attempt for chunk in chunks],
            "fences": [chunk.fence for chunk in chunks],
            "seqs": [chunk.seq for chunk in chunks],
            "streams": [chunk.stream for chunk in chunks],
            "datas": [chunk.data for chunk in chunks],
            "ends": [chunk.source_end for chunk in chunks],
            "times": [chunk.occurred_at for chunk in chunks],
        },
    )
    return set(rows)


async def settle(session: Statements, settlements: Sequence[Settlement]) -> set[UUID]:
    """Write how attempts ended; the tasks that were still ours, or that this very settlement ended before."""
    rows = await session.scalars(
        text("""
            WITH w AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS smallint[]),
                           CAST(:fences AS bigint[]), CAST(:states AS text[]), CAST(:ended AS bool[]),
                           CAST(:attempt_states AS text[]), CAST(:codes AS bigint[]), CAST(:errors AS text[]),
                           CAST(:outputs AS text[]), CAST(:truncated AS bool[]), CAST(:incomplete AS bool[]))
                       AS w (id, attempt, fence, state, ended, attempt_state, exit_code, error,
                             outputs, truncated, incomplete)),
            ours AS (
                SELECT t.id, t.state FROM tasks AS t JOIN w ON w.id = t.id AND w.fence = t.fence
                 ORDER BY t.id FOR UPDATE OF t),
            done AS (
                UPDATE tasks SET state = w.state, unplanned = true, worker_id = NULL,
                       ended_at = CASE WHEN w.ended THEN now() END,
                       exit_code = w.exit_code, error = w.error::jsonb
                  FROM w JOIN ours ON ours.id = w.id
                 WHERE tasks.id = w.id AND ours.state = 'running'
                RETURNING tasks.*),
            closed AS (
                UPDATE attempts SET state = w.attempt_state, ended_at = now(), exit_code = w.exit_code,
                       error = w.error::jsonb, outputs = w.outputs::jsonb, truncated = w.truncated,
                       output_incomplete = output_incomplete OR w.incomplete
                  FROM w JOIN done ON done.id = w.id
                 WHERE attempts.task_id = w.id AND attempts.number = w.attempt),
            told AS (
                INSERT INTO run_events (run_id, kind, event)
                SELECT run_id, 'tasks', jsonb_build_object('tasks', jsonb_agg(jsonb_strip_nulls(
                           jsonb_build_object('task', id, 'step_no', step_no, 'target', target_name,
                               'state', state, 'attempt', attempt, 'exit_code', exit_code, 'error', error))))
                  FROM done GROUP BY run_id)
            SELECT ours.id FROM ours JOIN w ON w.id = ours.id
             WHERE ours.state = 'running' OR ours.state = w.state
        """),
        {
            "ids": [s.task_id for s in settlements],
            "attempts": [s.attempt for s in settlements],
            "fences": [s.fence for s in settlements],
            "states": [s.task_state.value for s in settlements],
            "ended": [s.task_state in TASK_TERMINAL for s in settlements],
            "attempt_states": [s.attempt_state.value for s in settlements],
            "codes": [s.exit_code for s in settlements],
            "errors": [orjson.dumps(s.error).decode() if s.error else None for s in settlements],
            "outputs": [orjson.dumps(s.outputs).decode() if s.outputs else None for s in settlements],
            "truncated": [s.truncated for s in settlements],
            "incomplete": [s.output_incomplete for s in settlements],
        },
    )
    return set(rows)
