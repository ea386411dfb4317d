"""Sessions of one account on one target, counted over all executors.

A claim takes a numbered place for every task whose step logs in to its target; the primary key of `seats` is
what two claims at once cannot get around. A task whose target has no free place stays ready. A place is held
from the claim until the attempt has closed its session, also while a lost worker's command waits to be
taken over. A connection test takes one for its login and its command. The places of a lost executor's ended
attempts stay taken until somebody has removed from the target what it may have left there (`tidying`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy import text

from contracts.targets.seats import before_places, credential, places, protocol
from infra.database import Sessions, Statements

_SEATED = """
    named AS MATERIALIZED (
        SELECT t.id, t.attempt, t.not_before, t.target_id, t.step_no::int AS step_no, r.job_id, r.job_version,
               r.parameters
          FROM tasks AS t JOIN runs AS r ON r.id = t.run_id
         WHERE t.id = ANY(CAST(:ids AS uuid[]))),
    kinds AS MATERIALIZED (
        SELECT k.job_id, k.job_version, k.step_no, v.definition -> 'steps' -> k.step_no ->> 'type' AS type,
               v.definition -> 'steps' -> k.step_no ->> 'credential' AS said
          FROM (SELECT DISTINCT job_id, job_version, step_no FROM named) AS k
          JOIN job_versions AS v ON v.job_id = k.job_id AND v.version = k.job_version),
    logging_in AS (
        SELECT n.id, n.attempt, n.not_before, g.id AS target_id, c.id AS credential_id, c.username AS account,
               {protocol} AS protocol
          FROM named AS n
          JOIN kinds AS k ON k.job_id = n.job_id AND k.job_version = n.job_version AND k.step_no = n.step_no
          JOIN targets AS g ON g.id = n.target_id
          JOIN credentials AS c ON c.id = {credential}
               AND (c.id = g.credential_id OR (c.project_id = g.project_id AND c.archived_at IS NULL))),
    wanting AS (
        SELECT l.*, {places} AS places, {before} AS before,
               row_number() OVER (PARTITION BY g.id, l.protocol ORDER BY l.not_before, l.id) AS turn
          FROM logging_in AS l JOIN targets AS g ON g.id = l.target_id
         WHERE l.protocol IS NOT NULL),
    free AS (
        SELECT w.target_id, w.protocol, p.place,
               row_number() OVER (PARTITION BY w.target_id, w.protocol ORDER BY p.place) AS turn
          FROM (SELECT DISTINCT target_id, account, protocol, places, before FROM wanting) AS w
         CROSS JOIN LATERAL generate_series(w.before + 1, w.before + w.places) AS p (place)
         WHERE NOT EXISTS (SELECT 1 FROM seats AS s
                            WHERE s.target_id = w.target_id AND s.account = w.account
                              AND s.place = p.place)),
    seated AS (
        INSERT INTO seats (target_id, account, place, task_id, attempt, worker_id)
        SELECT w.target_id, w.account, free.place, w.id, w.attempt + 1, :worker_id
          FROM wanting AS w JOIN free
               ON free.target_id = w.target_id AND free.protocol = w.protocol AND free.turn = w.turn
         ORDER BY w.target_id, w.account, free.place
        ON CONFLICT DO NOTHING
        RETURNING task_id),
    admitted AS (
        SELECT id, NULL::uuid AS credential_id FROM unnest(CAST(:ids AS uuid[])) AS picked (id)
         WHERE id NOT IN (SELECT id FROM wanting)
        UNION ALL
        SELECT w.id, w.credential_id FROM seated JOIN wanting AS w ON w.id = seated.task_id)
"""
"""Of the tasks `:ids`, which this transaction has locked, those that got a place or need none, with the
credential that logs in.

They are read by their ids before anything else is joined (`named`): from the job's side the way to them leads
over every run it ever had.
"""

SEATED = _SEATED.format(
    protocol=protocol("k.type", "g"),
    credential=credential("k.said", "n.parameters", "g"),
    places=places("g", "l.protocol"),
    before=before_places("g", "l.protocol"),
)

_LEAVE = text("""
    DELETE FROM seats WHERE (target_id, account, place) IN (
        SELECT s.target_id, s.account, s.place
          FROM unnest(CAST(:tasks AS uuid[]), CAST(:attempts AS smallint[])) AS left_by (task_id, attempt)
          JOIN seats AS s ON s.task_id = left_by.task_id AND s.attempt = left_by.attempt
         WHERE NOT EXISTS (SELECT 1 FROM tasks AS t
                            WHERE t.id = s.task_id AND t.state = 'running' AND t.attempt = s.attempt)
         ORDER BY s.target_id, s.account, s.place FOR UPDATE OF s)
""")


async def leave(session: Statements, attempts: Sequence[tuple[UUID, int]]) -> None:
    """Give back the places of these (task, attempt); of one that still runs somewhere nothing is taken."""
    await session.execute(
        _LEAVE,
        {"tasks": [task_id for task_id, _ in attempts], "attempts": [number for _, number in attempts]},
    )


_TAKE_LEFT = text("""
    WITH left_behind AS (
        SELECT s.target_id, s.account, s.place
          FROM seats AS s
          JOIN workers AS w ON w.id = s.worker_id AND w.released_at IS NOT NULL
          JOIN attempts AS a ON a.task_id = s.task_id AND a.number = s.attempt AND a.ended_at IS NOT NULL
          JOIN targets AS g ON g.id = s.target_id AND g.pool = ANY(CAST(:pools AS text[]))
         ORDER BY s.target_id, s.account, s.place LIMIT :limit FOR UPDATE OF s SKIP LOCKED)
    UPDATE seats AS s SET worker_id = :worker_id FROM left_behind AS l
     WHERE (s.target_id, s.account, s.place) = (l.target_id, l.account, l.place)
    RETURNING s.task_id, s.attempt
""")


async def take_left(
    session: Statements, *, worker_id: UUID, pools: Sequence[str], limit: int
) -> list[tuple[UUID, int]]:
    """Make up to `limit` places ours that lost workers left taken; the ended attempts (task, number)."""
    values = {"worker_id": worker_id, "pools": list(pools), "limit": limit}
    return [(row.task_id, row.attempt) for row in await session.execute(_TAKE_LEFT, values)]


_TAKE_ONE = """
    INSERT INTO seats (target_id, account, place, task_id, attempt, worker_id)
    SELECT g.id, CAST(:account AS text), p.place, :holder, :number, :worker_id
      FROM targets AS g CROSS JOIN LATERAL generate_series({before} + 1, {before} + {places}) AS p (place)
     WHERE g.id = :target AND NOT EXISTS (
           SELECT 1 FROM seats AS s
            WHERE s.target_id = g.id AND s.account = CAST(:account AS text) AND s.place = p.place)
     ORDER BY p.place LIMIT 1
    ON CONFLICT DO NOTHING RETURNING place
"""
_PROTOCOL = "CAST(:protocol AS text)"
_TAKE_FREE = text(_TAKE_ONE.format(before=before_places("g", _PROTOCOL), places=places("g", _PROTOCOL)))
_TEST_LEAVES = text("DELETE FROM seats WHERE task_id = :holder AND attempt = :number")


async def take_one(
    session: Statements,
    *,
    holder: tuple[UUID, int],
    worker_id: UUID,
    target_id: UUID,
    account: str,
    protocol: str,
) -> bool:
    """A free place for a holder (task or test, number) that is no claim; whether there was one."""
    values = {
        "holder": holder[0],
        "number": holder[1],
        "worker_id": worker_id,
        "target": target_id,
        "account": account,
        "protocol": protocol,
    }
    return await session.scalar(_TAKE_FREE, values) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSeat:
    """The place of one try of a connection test: taken before it logs in, given back at its end."""

    __test__: ClassVar[bool] = False

    sessions: Sessions
    test_id: UUID
    tries: int
    worker_id: UUID
    target_id: UUID
    account: str
    protocol: str

    async def take(self) -> bool:
        """Whether there was a free place."""
        async with self.sessions.begin() as session:
            return await take_one(
                session,
                holder=(self.test_id, self.tries),
                worker_id=self.worker_id,
                target_id=self.target_id,
                account=self.account,
                protocol=self.protocol,
            )

    async def leave(self) -> None:
        async with self.sessions.begin() as session:
            await session.execute(_TEST_LEAVES, {"holder": self.test_id, "number": self.tries})
