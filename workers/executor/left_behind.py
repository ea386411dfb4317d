"""What ended attempts may have left on targets that were away: who goes back for it, when, and until when.

A row of `left_behind` is a promise to go back. Whoever does takes a session of the account first, as a step
does (`seats`), so that both together keep within the target's limit; where none is free they come back later.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.runs.states import TASK_TERMINAL
from infra.database import Statements
from workers.executor import seats

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 15.0, 3_600.0
GIVE_UP_AFTER = timedelta(hours=24)
TRIES_AT_MOST = 40


def pause_after(tries: int) -> float:
    """Seconds until the next try after so many."""
    return float(min(FIRST_PAUSE_SECONDS * 2.0 ** min(tries, 30), LONGEST_PAUSE_SECONDS))


def is_over(tries: int, age: timedelta) -> bool:
    """Whether nobody goes back any more. Somebody goes at least once, however late that is."""
    return tries >= TRIES_AT_MOST or (tries > 0 and age >= GIVE_UP_AFTER)


_NOTE = text("""
    INSERT INTO left_behind (task_id, attempt, target_id, account, protocol, tries, why, next_at)
    SELECT :task, :attempt, g.id, :account, :protocol, 0, :why, now() + make_interval(secs => :pause)
      FROM targets AS g WHERE g.id = :target
    ON CONFLICT (task_id, attempt) DO UPDATE SET why = excluded.why
    RETURNING tries, now() - since AS age
""")
_FORGET = text("DELETE FROM left_behind WHERE task_id = :task AND attempt = :attempt")
_GIVEN_UP = text("""
    INSERT INTO audit (principal, action, subject_kind, subject_id, project_id, detail)
    VALUES ('system', 'target.left_behind', 'target', :target, :project, CAST(:detail AS jsonb))
""")
_DUE = text("""
    SELECT l.task_id, l.attempt, l.target_id, l.account, l.protocol, l.tries
      FROM left_behind AS l
      JOIN targets AS g ON g.id = l.target_id AND g.pool = ANY(CAST(:pools AS text[]))
      JOIN tasks AS t ON t.id = l.task_id AND t.state = ANY(CAST(:ended AS text[]))
     WHERE l.next_at <= now()
       AND NOT EXISTS (SELECT 1 FROM seats AS s WHERE s.task_id = l.task_id AND s.attempt = l.attempt)
     ORDER BY l.next_at LIMIT :limit FOR UPDATE OF l SKIP LOCKED
""")
_NEXT = text("""
    UPDATE left_behind SET tries = :tries, next_at = now() + make_interval(secs => :pause)
     WHERE task_id = :task AND attempt = :attempt
""")


async def note(
    session: Statements,
    attempt: tuple[UUID, int],
    *,
    target_id: UUID,
    account: str,
    protocol: str,
    why: str,
) -> bool:
    """Promise to go back for what an attempt (task, number) left, as long as that has sense; else False."""
    task_id, number = attempt
    rows = await session.execute(
        _NOTE,
        {
            "task": task_id,
            "attempt": number,
            "target": target_id,
            "account": account,
            "protocol": protocol,
            "why": why[:1_000],
            "pause": pause_after(0),
        },
    )
    row = next(iter(rows), None)  # none where the target is gone
    return row is not None and not is_over(row.tries, row.age)


async def forget(session: Statements, attempt: tuple[UUID, int]) -> None:
    """Nobody needs to go back for this attempt (task, number) any more."""
    await session.execute(_FORGET, {"task": attempt[0], "attempt": attempt[1]})


async def record(
    session: Statements, *, target_id: UUID, project_id: UUID, detail: dict[str, object]
) -> None:
    """Tell people what stays on a target for good."""
    shown = orjson.dumps(detail, default=str).decode()
    await session.execute(_GIVEN_UP, {"target": target_id, "project": project_id, "detail": shown})


async def take_due(
    session: Statements, *, worker_id: UUID, pools: Sequence[str], limit: int
) -> list[tuple[UUID, int]]:
    """Attempts (task, number) to go back for now; each has a seat at its target, which has to be left."""
    values = {"pools": list(pools), "limit": limit, "ended": [state.value for state in TASK_TERMINAL]}
    taken: list[tuple[UUID, int]] = []
    for row in list(await session.execute(_DUE, values)):
        seated = await seats.take_one(
            session,
            holder=(row.task_id, row.attempt),
            worker_id=worker_id,
            target_id=row.target_id,
            account=row.account,
            protocol=row.protocol,
        )
        tries = row.tries + seated
        pause = pause_after(tries) if seated else FIRST_PAUSE_SECONDS
        next_time = {"task": row.task_id, "attempt": row.attempt, "tries": tries, "pause": pause}
        await session.execute(_NEXT, next_time)
        if seated:
            taken.append((row.task_id, row.attempt))
    return taken
