"""Why a task that was released does not run, in words."""

from typing import Any

from sqlalchemy import Row

from contracts.runs.states import TaskState
from contracts.targets.seats import SSH_OF_WINDOWS, before_places, credential, places, protocol

WAITING = """t.pool, t.not_before, t.not_before > now() AS later,
           t.state = 'ready' OR (t.state = 'running' AND t.worker_id IS NULL) AS unheld,
           EXISTS (SELECT 1 FROM workers AS w
                    WHERE w.released_at IS NULL AND w.lease_until > now()
                      AND t.pool = ANY(w.pools)) AS served,
           sessions.account, sessions.taken, sessions.places
"""
"""Columns over `tasks AS t`, beside its `state`, `parked_by` and `target_name`, for `waiting_for`."""

_TYPE = "v.definition -> 'steps' -> t.step_no::int ->> 'type'"
_SAID = "(v.definition -> 'steps' -> t.step_no::int ->> 'credential')"
SESSIONS = f"""
      LEFT JOIN LATERAL (
           SELECT c.username AS account, {places("g", "k.protocol")} AS places,
                  (SELECT count(*) FROM seats AS s
                    WHERE s.target_id = g.id AND s.account = c.username
                      AND (s.place > {SSH_OF_WINDOWS}) = ({before_places("g", "k.protocol")} > 0)) AS taken
             FROM targets AS g
             JOIN runs AS tr ON tr.id = t.run_id
             JOIN job_versions AS v ON v.job_id = tr.job_id AND v.version = tr.job_version
             JOIN credentials AS c ON c.id = {credential(_SAID, "tr.parameters", "g")}
            CROSS JOIN LATERAL (
                 SELECT {protocol(_TYPE, "g")}) AS k (protocol)
            WHERE g.id = t.target_id AND t.state = 'ready') AS sessions ON true
"""  # noqa: S608  (our own expression)
"""The join over `tasks AS t` that those columns need."""


def waiting_for(row: Row[Any]) -> str | None:
    """What it waits for; None for a task that is held, not released, or has ended."""
    if not row.unheld:
        return None
    if row.parked_by is not None:
        return "a dead letter about it: replay or discard it"
    if not row.served:
        return f"an executor that serves pool {row.pool}: none is running"
    if row.state == TaskState.RUNNING:
        return "an executor to take it over from a lost one"
    if row.later:
        return f"its next attempt at {row.not_before:%H:%M:%S} UTC"
    return _room(row)


def _room(row: Row[Any]) -> str:
    if row.places is None or row.taken < row.places:
        return "a free slot"
    used = f"{row.account} uses {row.taken} of {row.places} (max_concurrent)"
    return f"a free session on {row.target_name}: {used}"
