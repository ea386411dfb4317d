"""What executors read and write of connection tests. Guarded by (test, worker, try) after the claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.targets.testing import Transport
from infra.database import Statements
from workers.executor.testing.examine import Result

_CLAIM = text("""
    WITH alive AS (
        SELECT id FROM workers
         WHERE id = :worker_id AND lease_until > now() AND released_at IS NULL FOR KEY SHARE),
    picked AS (
        SELECT id FROM connection_tests
         WHERE status = 'requested' AND parked_by IS NULL AND pool = ANY(CAST(:pools AS text[]))
           AND EXISTS (SELECT 1 FROM alive)
         ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE connection_tests AS t SET status = 'running', worker_id = :worker_id, tries = tries + 1,
               started_at = COALESCE(started_at, now())
          FROM picked WHERE t.id = picked.id
        RETURNING t.*)
    SELECT t.id, t.project_id, t.target_id, t.tries, t.transport, t.reach, t.even_if_held, t.requested_by,
           g.hostname = t.reach->>'hostname' AS of_the_target,
           c.id AS credential_id, c.type AS credential_type, c.username,
           CASE WHEN c.held_version IS NULL OR c.held_version = c.current_version
                THEN c.held_reason END AS held_reason,
           h.reason AS held_here,
           v.version AS credential_version, v.key_id, v.wrapped_key, v.nonce, v.ciphertext
      FROM taken AS t
      JOIN targets AS g ON g.id = t.target_id
      LEFT JOIN credentials AS c ON c.id = t.credential_id
      LEFT JOIN credential_versions AS v ON v.credential_id = c.id AND v.version = c.current_version
      LEFT JOIN credential_holds AS h
             ON h.credential_id = c.id AND h.version = c.current_version AND h.target_id = t.target_id
""")
_AUDIT_USE = text("""
    INSERT INTO audit (principal, action, subject_kind, subject_id, project_id, detail)
    VALUES (:principal, 'credential.use', 'credential', :credential, :project, CAST(:detail AS jsonb))
""")
_END = text("""
    UPDATE connection_tests
       SET status = :status, ended_at = now(), worker_id = NULL, stages = CAST(:stages AS jsonb),
           presented = CAST(:presented AS jsonb), error = CAST(:error AS jsonb)
     WHERE id = :id AND worker_id = :worker_id AND tries = :tries AND status = 'running'
    RETURNING true
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedTest:
    """A test this worker holds, with all it needs."""

    id: UUID
    project_id: UUID
    target_id: UUID
    tries: int
    transport: Transport
    reach: dict[str, Any]
    even_if_held: bool
    requested_by: str
    of_the_target: bool
    """It goes where the target is, not to another address that is being tried out."""
    credential: dict[str, Any] | None


async def claim(
    session: Statements, *, worker_id: UUID, pools: Sequence[str], limit: int
) -> list[ClaimedTest]:
    """Make up to `limit` requested tests ours, oldest first."""
    values = {"worker_id": worker_id, "pools": list(pools), "limit": limit}
    return [_claimed(dict(row)) for row in (await session.execute(_CLAIM, values)).mappings()]


async def audit_use(session: Statements, test: ClaimedTest, hops: Sequence[Mapping[str, Any]]) -> None:
    """One row for each credential that is about to be opened: the target's and those of its jump hosts."""
    for credential in (test.credential, *hops):
        if credential is not None and credential["credential_version"] is not None:
            await session.execute(_AUDIT_USE, _use(test, credential))


def _claimed(row: dict[str, Any]) -> ClaimedTest:
    own = {name: row.pop(name) for name in ClaimedTest.__dataclass_fields__ if name != "credential"}
    return ClaimedTest(**own, credential=row if row["credential_id"] else None)


def _use(test: ClaimedTest, credential: Mapping[str, Any]) -> dict[str, Any]:
    detail = {
        "test_id": str(test.id),
        "target": test.reach["name"],
        "hostname": test.reach["hostname"],
        "version": credential["credential_version"],
    }
    return {
        "principal": test.requested_by,
        "credential": credential["credential_id"],
        "project": test.project_id,
        "detail": orjson.dumps(detail).decode(),
    }


async def end(session: Statements, test: ClaimedTest, result: Result, *, worker_id: UUID) -> bool:
    """Write how it went; False when the test is not ours any more."""
    ended = await session.scalar(
        _END,
        {
            "id": test.id,
            "worker_id": worker_id,
            "tries": test.tries,
            "status": result.status.value,
            "stages": orjson.dumps(result.stages).decode(),
            "presented": orjson.dumps(result.presented).decode(),
            "error": None if result.error is None else orjson.dumps(result.error).decode(),
        },
    )
    return bool(ended)
