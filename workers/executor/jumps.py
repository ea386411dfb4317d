"""The jump hosts on the way to a target: found with the claim, opened with its credential."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from contracts.targets.specs import JUMPS_AT_MOST, SshSettings, WinrmSettings
from infra.database import Statements
from workers.executor.holding import Claimed
from workers.executor.steps.base import JumpHop, TargetView

_HOPS = text("""
    WITH RECURSIVE hops AS (
        SELECT way.id, way.project_id, 1 AS hop, way.name
          FROM unnest(CAST(:ids AS uuid[]), CAST(:projects AS uuid[]), CAST(:names AS text[]))
               AS way (id, project_id, name)
        UNION ALL
        SELECT h.id, h.project_id, h.hop + 1, g.ssh->'jump_host'->>'target'
          FROM hops AS h JOIN targets AS g
               ON g.project_id = h.project_id AND g.name = h.name AND g.archived_at IS NULL
         WHERE h.hop <= CAST(:most AS int) AND g.ssh->'jump_host'->>'target' IS NOT NULL)
    SELECT h.id AS way, h.hop, h.name,
           CASE WHEN g.id IS NOT NULL THEN jsonb_build_object(
               'id', g.id, 'name', g.name, 'hostname', g.hostname, 'os', g.os,
               'winrm', g.winrm, 'ssh', g.ssh) END AS target,
           c.id AS credential_id, c.type AS credential_type, c.username,
           CASE WHEN c.held_version IS NULL OR c.held_version = c.current_version
                THEN c.held_reason END AS held_reason,
           d.reason AS held_here,
           v.version AS credential_version, v.key_id, v.wrapped_key, v.nonce, v.ciphertext
      FROM hops AS h
      LEFT JOIN targets AS g ON g.project_id = h.project_id AND g.name = h.name AND g.archived_at IS NULL
      LEFT JOIN credentials AS c ON c.id = g.credential_id AND c.archived_at IS NULL
      LEFT JOIN credential_versions AS v ON v.credential_id = c.id AND v.version = c.current_version
      LEFT JOIN credential_holds AS d
             ON d.credential_id = c.id AND d.version = c.current_version AND d.target_id = g.id
     ORDER BY h.id, h.hop
""")


@dataclass(frozen=True, slots=True)
class Way:
    """To what is to be reached (a task's or a test's target), and the jump host it begins with."""

    id: UUID
    project_id: UUID
    name: str


async def added_to(
    session: Statements, tasks: Sequence[Claimed], *, wanted: Callable[[Claimed], bool] = lambda _: True
) -> list[Claimed]:
    """The tasks with the jump hosts on their way, for those `wanted`; asks only where a target has one."""
    found = await hops_of(
        session,
        [
            Way(task.id, task.project_id, name)
            for task in tasks
            if (name := first_of(task.target)) and wanted(task)
        ],
    )
    return [replace(task, jumps=found[task.id]) if task.id in found else task for task in tasks]


def first_of(reach: Mapping[str, Any] | None) -> str | None:
    """The name of the jump host that is named with a target's own settings."""
    return None if reach is None else (reach["ssh"].get("jump_host") or {}).get("target")


async def hops_of(session: Statements, ways: Sequence[Way]) -> dict[UUID, tuple[Mapping[str, Any], ...]]:
    """By way, its jump hosts, the nearest to the target first."""
    if not ways:
        return {}
    rows = await session.execute(
        _HOPS,
        {
            "ids": [way.id for way in ways],
            "projects": [way.project_id for way in ways],
            "names": [way.name for way in ways],
            "most": JUMPS_AT_MOST,
        },
    )
    found: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows.mappings():
        found[row["way"]].append(dict(row))
    return {way: tuple(hops) for way, hops in found.items()}


def problem_of(row: Mapping[str, Any]) -> str | None:
    """Why this jump host cannot be used, if that is so."""
    if row["hop"] > JUMPS_AT_MOST:
        return f"there are more than {JUMPS_AT_MOST} in a row"
    if row["target"] is None:
        return f"there is no target named {row['name']}"
    if row["credential_version"] is None:
        return f"{row['name']} has no credential"
    if held := row["held_here"] or row["held_reason"]:
        return f"the credential of {row['name']} is on hold: {held}"
    return None


def target_view(target: Mapping[str, Any], *, jump: JumpHop | None = None) -> TargetView:
    """The machine as plug-ins see it. Raises `ValidationError` for settings of a newer system."""
    return TargetView(
        id=UUID(str(target["id"])),
        name=target["name"],
        hostname=target["hostname"],
        os=target["os"],
        winrm=WinrmSettings.model_validate(target["winrm"]),
        ssh=SshSettings.model_validate(target["ssh"]),
        jump=jump,
    )
