"""First logins with a credential: one at a time over all executors, and good for all of them.

A row of `first_logins` is a trial under way, or the proof that a version was accepted on a target. Its
primary key keeps executors apart on one target. A trial is `alone` while no target at all has accepted the
version: an index allows one such row, so that a wrong password is not tried on a whole fleet at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from infra.batching import Batcher
from infra.database import engine_of
from infra.direct import direct_statement, direct_transaction
from infra.process import Process
from workers.executor import holds
from workers.executor.holds import Rejected
from workers.executor.lease import Lease
from workers.executor.logins import LoginKey

_FORGET_LOST = text("""
    DELETE FROM first_logins AS f
     WHERE (f.credential_id, f.version) IN (
               SELECT * FROM unnest(CAST(:credentials AS uuid[]), CAST(:versions AS int[])))
       AND f.proven_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM workers AS w
                        WHERE w.id = f.worker_id AND w.released_at IS NULL AND w.lease_until > now())
""")
_TRY = text("""
    WITH asked AS MATERIALIZED (
        SELECT w.*,
               EXISTS (SELECT 1 FROM first_logins AS f
                        WHERE f.credential_id = w.credential AND f.version = w.version
                          AND f.target_id = w.target AND f.proven_at IS NOT NULL) AS here,
               EXISTS (SELECT 1 FROM first_logins AS f
                        WHERE f.credential_id = w.credential AND f.version = w.version
                          AND f.proven_at IS NOT NULL) AS somewhere
          FROM unnest(CAST(:targets AS uuid[]), CAST(:credentials AS uuid[]), CAST(:versions AS int[]),
                      CAST(:workers AS uuid[]), CAST(:patient AS bool[]))
               AS w (target, credential, version, worker, patient)),
    tried AS (
        INSERT INTO first_logins (credential_id, version, target_id, worker_id, alone)
        SELECT credential, version, target, worker, patient AND NOT somewhere
          FROM asked WHERE NOT here ORDER BY credential, version, target
        ON CONFLICT DO NOTHING RETURNING credential_id, version, target_id)
    SELECT target, credential, version, CASE
               WHEN here THEN 'good'
               WHEN EXISTS (SELECT 1 FROM tried AS t
                             WHERE t.credential_id = a.credential AND t.version = a.version
                               AND t.target_id = a.target) THEN 'ours'
               WHEN EXISTS (SELECT 1 FROM first_logins AS f
                             WHERE f.credential_id = a.credential AND f.version = a.version
                               AND f.target_id = a.target AND f.worker_id = a.worker) THEN 'ours'
               ELSE 'busy' END AS answer
      FROM asked AS a
""")
"""Where a row was ours before, the answer to a try was lost: one login at a time waits here for a key."""
_PROVEN = text("""
    INSERT INTO first_logins (credential_id, version, target_id, alone, proven_at)
    SELECT c.id, w.version, g.id, false, now()
      FROM unnest(CAST(:targets AS uuid[]), CAST(:credentials AS uuid[]), CAST(:versions AS int[]))
           AS w (target, credential, version)
      JOIN credentials AS c ON c.id = w.credential JOIN targets AS g ON g.id = w.target
     ORDER BY c.id, w.version, g.id
    ON CONFLICT (credential_id, version, target_id)
    DO UPDATE SET proven_at = now(), alone = false, worker_id = NULL
""")
_GIVE_UP = text("""
    DELETE FROM first_logins AS f
     USING unnest(CAST(:targets AS uuid[]), CAST(:credentials AS uuid[]), CAST(:versions AS int[]),
                  CAST(:workers AS uuid[])) AS w (target, credential, version, worker)
     WHERE f.credential_id = w.credential AND f.version = w.version AND f.target_id = w.target
       AND f.worker_id = w.worker AND f.proven_at IS NULL
""")

Answer = Literal["good", "ours", "busy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """To try a key under this worker's id, or (`accepted` or not) to say how a try ended."""

    key: LoginKey
    worker_id: UUID | None
    patient: bool = False
    accepted: bool | None = None


class SharedTrials:
    """Implements `logins.Trials` over the database, for all logins that begin at once together."""

    def __init__(self, process: Process, lease: Lease) -> None:
        self._engine = engine_of(process.sessions)
        self._lease = lease
        self._trying: dict[LoginKey, UUID] = {}
        """Under which worker's id each trial of this process was begun."""
        # In the order in which they came: whoever no longer waits for an answer says so behind the question.
        self._orders: Batcher[_Order, Answer] = Batcher(self._write, gate=process.gate)

    async def take(self, key: LoginKey, *, patient: bool) -> Answer:
        worker_id = self._trying[key] = self._lease.worker_id
        return await self._orders.submit(_Order(key=key, worker_id=worker_id, patient=patient))

    async def end(self, key: LoginKey, *, accepted: bool) -> None:
        worker_id = self._trying.pop(key, None)
        if accepted or worker_id is not None:
            await self._orders.submit(_Order(key=key, worker_id=worker_id, accepted=accepted))

    async def _write(self, orders: Sequence[_Order]) -> Sequence[Answer]:
        tries = [one for one in orders if one.accepted is None]
        given_up = [one for one in orders if one.accepted is False]
        proven = {one.key: one for one in orders if one.accepted}
        answers: dict[LoginKey, Answer] = {}
        async with direct_transaction(self._engine) as session:
            if tries:
                await session.execute(_FORGET_LOST, _columns(tries))
                for row in await session.execute(_TRY, _columns(tries)):
                    answers[row.target, row.credential, row.version] = row.answer
            if given_up:
                await session.execute(_GIVE_UP, _columns(given_up))
            if proven:
                await session.execute(_PROVEN, _columns(list(proven.values())))
        return [answers.get(one.key, "good") for one in orders]


class SharedHolds:
    """Implements `logins.Holds` over the database, asked for all logins that begin at once together."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._asked: Batcher[LoginKey, str | None] = Batcher(self._read, gate=process.gate)

    async def held_back(self, key: LoginKey) -> str | None:
        return await self._asked.submit(key)

    async def _read(self, keys: Sequence[LoginKey]) -> Sequence[str | None]:
        async with direct_statement(engine_of(self._process.sessions)) as session:
            reasons = await holds.held_back(session, keys)
        return [reasons.get(key) for key in keys]

    async def put(self, key: LoginKey, *, reason: str, run_id: UUID | None) -> None:
        target_id, credential_id, version = key
        rejected = Rejected(
            credential_id=credential_id, version=version, target_id=target_id, run_id=run_id, reason=reason
        )

        async def write() -> None:
            async with self._process.sessions.begin() as session:
                await holds.put_on_hold(session, [rejected])

        await self._process.gate.run(write)


def _columns(orders: Sequence[_Order]) -> dict[str, object]:
    return {
        "targets": [one.key[0] for one in orders],
        "credentials": [one.key[1] for one in orders],
        "versions": [one.key[2] for one in orders],
        "workers": [one.worker_id for one in orders],
        "patient": [one.patient for one in orders],
    }
