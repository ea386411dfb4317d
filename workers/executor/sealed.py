"""What is sealed and about to be opened: credentials, each use of which is audited, and secret parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from infra.database import Statements
from workers.executor.holding import Claimed


async def audit_credential_use(session: Statements, tasks: Sequence[Claimed]) -> None:
    """One audit row per credential that is about to be opened, in the claiming transaction."""
    used = [
        (task, row)
        for task in tasks
        for row in (task.credential, *task.jumps)
        if row is not None and row["credential_id"] is not None
    ]
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
            "principals": [task.requested_by for task, _ in used],
            "credentials": [row["credential_id"] for _, row in used],
            "projects": [task.project_id for task, _ in used],
            "details": [_use(task, row) for task, row in used],
        },
    )


def _use(task: Claimed, row: Mapping[str, Any]) -> str:
    used = {
        "run_id": task.run_id,
        "task_id": task.id,
        "attempt": task.attempt,
        "target": task.target and task.target["name"],
        "version": row["credential_version"],
    }
    if row is not task.credential:
        used["jump_host"] = row["name"]
    return orjson.dumps(used, default=str).decode()


async def use_named_credential(
    session: Statements, task: Claimed, *, name: str | None, credential_id: UUID | None
) -> dict[str, Any] | None:
    """The sealed credential of this name or id in the task's project, noted on the attempt and audited."""
    rows = await session.execute(
        text("""
            WITH found AS (
                SELECT c.id AS credential_id, c.type AS credential_type, c.username,
                       CASE WHEN c.held_version IS NULL OR c.held_version = c.current_version
                            THEN c.held_reason END AS held_reason,
                       NULL::text AS held_here, v.version AS credential_version,
                       v.key_id, v.wrapped_key, v.nonce, v.ciphertext
                  FROM credentials AS c
                  JOIN credential_versions AS v ON v.credential_id = c.id AND v.version = c.current_version
                 WHERE c.project_id = :project AND c.archived_at IS NULL
                   AND (c.name = :name OR c.id = CAST(:id AS uuid))),
            noted AS (
                UPDATE attempts SET credential_id = found.credential_id,
                       credential_version = found.credential_version
                  FROM found WHERE attempts.task_id = :task AND attempts.number = :attempt)
            SELECT * FROM found
        """),
        {
            "project": task.project_id,
            "name": name,
            "id": credential_id,
            "task": task.id,
            "attempt": task.attempt,
        },
    )
    credential = next((dict(row) for row in rows.mappings()), None)
    if credential is not None:
        await audit_credential_use(session, [replace(task, credential=credential)])
    return credential


async def sealed_parameters(session: Statements, run_id: UUID) -> list[dict[str, Any]]:
    """The sealed secret parameters of a run."""
    rows = await session.execute(
        text("""SELECT name, key_id, wrapped_key, nonce, ciphertext,
                       COALESCE(sealed_for, run_id) AS sealed_for
                  FROM run_secrets WHERE run_id = :id"""),
        {"id": run_id},
    )
    return [dict(row) for row in rows.mappings()]
