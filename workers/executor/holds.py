"""Putting rejected credentials on hold, in the transaction that writes the rejection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.credentials.holds import Rejection, held_everywhere
from infra.database import Statements
from workers.executor.logins import LoginKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A target rejected a login with this version of a credential."""

    credential_id: UUID
    version: int
    target_id: UUID
    run_id: UUID | None
    """Null when a connection test found out."""
    reason: str


def rejected_where(
    code: str,
    words: Mapping[str, object],
    *,
    target: Mapping[str, Any] | None,
    credential: Mapping[str, Any] | None,
    jumps: Sequence[Mapping[str, Any]],
) -> tuple[UUID, Mapping[str, Any]] | None:
    """The machine that rejected a login and the credential's row: the target's, or a jump host's on the way.

    None when the cause `code` is no rejection, or nobody can say whose.
    """
    if code == "jump_rejected":
        place = words.get("jump_host")
        hop = next((hop for hop in jumps if hop["name"] == place), None)
        target, credential = (hop["target"], hop) if hop else (None, None)
    elif code != "auth_rejected":
        return None
    if target is None or credential is None:
        return None
    return UUID(str(target["id"])), credential


_LOCK = text("""
    SELECT project_id, current_version, held_version FROM credentials WHERE id = :credential FOR UPDATE
""")
_HOLD = text("""
    INSERT INTO credential_holds (credential_id, version, target_id, reason, run_id)
    VALUES (:credential, :version, :target, :reason, :run) ON CONFLICT DO NOTHING RETURNING target_id
""")
_NOT_PROVEN = text("""
    DELETE FROM first_logins
     WHERE credential_id = :credential AND version = :version AND target_id = :target
       AND proven_at IS NOT NULL
""")
_HELD_BACK = text("""
    SELECT w.target, w.credential, w.version,
           COALESCE(h.reason, CASE WHEN c.held_version IS NULL OR c.held_version = w.version
                                   THEN c.held_reason END) AS reason
      FROM unnest(CAST(:targets AS uuid[]), CAST(:credentials AS uuid[]), CAST(:versions AS int[]))
           AS w (target, credential, version)
      JOIN credentials AS c ON c.id = w.credential
      LEFT JOIN credential_holds AS h
             ON h.credential_id = c.id AND h.version = w.version AND h.target_id = w.target
""")
_HOLDS = text("""
    SELECT target_id, held_at FROM credential_holds WHERE credential_id = :credential AND version = :version
""")
_HOLD_EVERYWHERE = text("""
    UPDATE credentials SET held_reason = :reason, held_at = now(), held_version = :version
     WHERE id = :credential
""")
_AUDIT = text("""
    INSERT INTO audit (principal, action, subject_kind, subject_id, project_id, detail)
    VALUES ('system', 'credential.hold', 'credential', :credential, :project, CAST(:detail AS jsonb))
""")


async def held_back(session: Statements, keys: Sequence[LoginKey]) -> dict[LoginKey, str | None]:
    """Why each version may not be tried on its target; None where it may."""
    rows = await session.execute(
        _HELD_BACK,
        {
            "targets": [target for target, _, _ in keys],
            "credentials": [credential for _, credential, _ in keys],
            "versions": [version for _, _, version in keys],
        },
    )
    return {(row.target, row.credential, row.version): row.reason for row in rows}


async def put_on_hold(session: Statements, rejected: Iterable[Rejected]) -> None:
    """Hold each credential back from the target that rejected it, or from all; a twin changes nothing.

    Versions that were replaced meanwhile are left alone: nobody tries them any more.
    """
    unique = {(one.credential_id, one.version, one.target_id): one for one in rejected}
    for key in sorted(unique, key=str):
        await _hold(session, unique[key])


async def _hold(session: Statements, one: Rejected) -> None:
    values = {"credential": one.credential_id, "version": one.version}
    [credential] = await session.execute(_LOCK, {"credential": one.credential_id})
    if credential.current_version != one.version:
        return
    new = await session.scalar(
        _HOLD, values | {"target": one.target_id, "reason": one.reason[:1_000], "run": one.run_id}
    )
    if new is None:
        return
    await session.execute(_NOT_PROVEN, values | {"target": one.target_id})
    rows = await session.execute(_HOLDS, values)
    rejections = [Rejection(row.target_id, row.held_at) for row in rows]
    everywhere = credential.held_version != one.version and held_everywhere(rejections)
    if everywhere:
        reason = f"{len(rejections)} machines rejected it within ten minutes; the last: {one.reason}"
        await session.execute(_HOLD_EVERYWHERE, values | {"reason": reason[:1_000]})
    await session.execute(
        _AUDIT,
        {
            "credential": one.credential_id,
            "project": credential.project_id,
            "detail": _detail(one, everywhere),
        },
    )


def _detail(one: Rejected, everywhere: bool) -> str:  # noqa: FBT001  (a fact, not a switch)
    return orjson.dumps(
        {
            "version": one.version,
            "target_id": one.target_id,
            "run_id": one.run_id,
            "everywhere": everywhere,
            "reason": one.reason,
        },
        default=str,
    ).decode()
