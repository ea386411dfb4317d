"""The way to a target, before it is saved: its pinned key, and jump hosts that exist, end and are few."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import FieldProblem, Invalid
from contracts.fingerprints import host_key_problem
from contracts.targets.specs import JUMPS_AT_MOST, SshSettings

FIELD = "ssh.jump_host.target"

_WAY = text("""
    WITH RECURSIVE way AS (
        SELECT 1 AS hop, CAST(:first AS text) AS name
        UNION ALL
        SELECT w.hop + 1, g.ssh->'jump_host'->>'target'
          FROM way AS w JOIN targets AS g
               ON g.project_id = CAST(:project AS uuid) AND g.name = w.name AND g.archived_at IS NULL
         WHERE g.ssh->'jump_host'->>'target' IS NOT NULL AND w.name <> :own AND w.hop <= CAST(:most AS int))
    SELECT w.name, EXISTS (SELECT 1 FROM targets AS g WHERE g.project_id = CAST(:project AS uuid)
                              AND g.name = w.name AND g.archived_at IS NULL) AS known
      FROM way AS w ORDER BY w.hop
""")
_BEHIND = text("""
    WITH RECURSIVE behind AS (
        SELECT 1 AS hop, g.name FROM targets AS g
         WHERE g.project_id = CAST(:project AS uuid) AND g.archived_at IS NULL
           AND g.ssh->'jump_host'->>'target' = :own
        UNION ALL
        SELECT b.hop + 1, g.name
          FROM behind AS b JOIN targets AS g
               ON g.project_id = CAST(:project AS uuid) AND g.archived_at IS NULL
                  AND g.ssh->'jump_host'->>'target' = b.name
         WHERE b.hop <= CAST(:most AS int))
    SELECT name, hop FROM behind ORDER BY hop DESC LIMIT 1
""")


def require_host_key(ssh: SshSettings) -> None:
    """Raises `Invalid` for what no SSH client would take as a public key."""
    if ssh.host_key and (reason := host_key_problem(ssh.host_key)):
        raise Invalid("The host key cannot be pinned.", problems=[FieldProblem("ssh.host_key", reason)])


async def require_way(session: AsyncSession, project_id: UUID, own: str, ssh: SshSettings) -> None:
    """Raises `Invalid` for a jump host that does not exist, that comes back here, or too many in a row."""
    if ssh.jump_host is None:
        return
    about = {"project": project_id, "own": own, "most": JUMPS_AT_MOST}
    way = (await session.execute(_WAY, about | {"first": ssh.jump_host.target})).all()
    names = [row.name for row in way]
    if own in names:
        raise _refused(f"goes in a circle: {_arrows([own, *names])}")
    if missing := [row.name for row in way if not row.known]:
        raise _refused(f"there is no target named {missing[0]}")
    behind = (await session.execute(_BEHIND, about)).first()
    hops = len(names) + (behind.hop if behind else 0)
    if hops > JUMPS_AT_MOST:
        start = [behind.name, "…", own] if behind else [own]
        raise _refused(f"more than {JUMPS_AT_MOST} jump hosts in a row: {_arrows([*start, *names])}")


def _arrows(names: Sequence[str]) -> str:
    return " → ".join(names)


def _refused(reason: str) -> Invalid:
    return Invalid("The target cannot be reached this way.", problems=[FieldProblem(FIELD, reason)])
