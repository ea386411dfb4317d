"""First logins with a credential: one at a time over all executors, and good for all of them.

A row of `first_logins` is a trial under way, or the proof that a version was accepted on a target. Its
primary key keeps executors apart on one target. A trial is `alone` while no target at all has accepted the
version: an index allows one such row, so that a wrong password is not tried on a whole fleet at once.
"""

from typing import Literal
from uuid import UUID

from sqlalchemy import text

from infra.process import Process
from workers.executor import holds
from workers.executor.holds import Rejected
from workers.executor.lease import Lease
from workers.executor.logins import LoginKey

_GOOD = text("""
    SELECT EXISTS (SELECT 1 FROM first_logins AS f
                    WHERE f.credential_id = :credential AND f.version = :version AND f.target_id = :target
                      AND f.proven_at IS NOT NULL) AS here,
           EXISTS (SELECT 1 FROM first_logins AS f
                    WHERE f.credential_id = :credential AND f.version = :version
                      AND f.proven_at IS NOT NULL) AS somewhere
""")
_FORGET_LOST = text("""
    DELETE FROM first_logins AS f
     WHERE f.credential_id = :credential AND f.version = :version AND f.proven_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM workers AS w
                        WHERE w.id = f.worker_id AND w.released_at IS NULL AND w.lease_until > now())
""")
_TRY = text("""
    INSERT INTO first_logins (credential_id, version, target_id, worker_id, alone)
    VALUES (:credential, :version, :target, :worker_id, :alone)
    ON CONFLICT DO NOTHING RETURNING true
""")
_PROVEN = text("""
    INSERT INTO first_logins (credential_id, version, target_id, alone, proven_at)
    SELECT c.id, :version, g.id, false, now()
      FROM credentials AS c, targets AS g WHERE c.id = :credential AND g.id = :target
    ON CONFLICT (credential_id, version, target_id)
    DO UPDATE SET proven_at = now(), alone = false, worker_id = NULL
""")
_GIVE_UP = text("""
    DELETE FROM first_logins
     WHERE credential_id = :credential AND version = :version AND target_id = :target
       AND worker_id = :worker_id AND proven_at IS NULL
""")


class SharedTrials:
    """Implements `logins.Trials` over the database."""

    def __init__(self, process: Process, lease: Lease) -> None:
        self._process = process
        self._lease = lease
        self._trying: dict[LoginKey, UUID] = {}
        """Under which worker's id each trial of this process was begun."""

    async def take(self, key: LoginKey, *, patient: bool) -> Literal["good", "ours", "busy"]:
        return await self._process.gate.run(lambda: self._take(key, patient=patient))

    async def end(self, key: LoginKey, *, accepted: bool) -> None:
        worker_id = self._trying.pop(key, None)
        if accepted or worker_id is not None:
            await self._process.gate.run(lambda: self._end(key, worker_id, accepted=accepted))

    async def _take(self, key: LoginKey, *, patient: bool) -> Literal["good", "ours", "busy"]:
        async with self._process.sessions.begin() as session:
            [good] = await session.execute(_GOOD, _values(key))
            if good.here:
                return "good"
            await session.execute(_FORGET_LOST, _values(key))
            worker_id = self._trying[key] = self._lease.worker_id
            trial = {"worker_id": worker_id, "alone": patient and not good.somewhere}
            ours = await session.scalar(_TRY, _values(key) | trial)
        return "ours" if ours else "busy"

    async def _end(self, key: LoginKey, worker_id: UUID | None, *, accepted: bool) -> None:
        async with self._process.sessions.begin() as session:
            if accepted:
                await session.execute(_PROVEN, _values(key))
            else:
                await session.execute(_GIVE_UP, _values(key) | {"worker_id": worker_id})


class SharedHolds:
    """Implements `logins.Holds` over the database."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def held_back(self, key: LoginKey) -> str | None:
        target_id, credential_id, version = key

        async def read() -> str | None:
            async with self._process.sessions() as session:
                return await holds.held_back(
                    session, credential_id=credential_id, version=version, target_id=target_id
                )

        return await self._process.gate.run(read)

    async def put(self, key: LoginKey, *, reason: str, run_id: UUID | None) -> None:
        target_id, credential_id, version = key
        rejected = Rejected(
            credential_id=credential_id, version=version, target_id=target_id, run_id=run_id, reason=reason
        )

        async def write() -> None:
            async with self._process.sessions.begin() as session:
                await holds.put_on_hold(session, [rejected])

        await self._process.gate.run(write)


def _values(key: LoginKey) -> dict[str, object]:
    target_id, credential_id, version = key
    return {"target": target_id, "credential": credential_id, "version": version}
