"""Beside every message the mark in the database that outlives it, and the query that finds it.

Parked subjects are left out: a dead letter about them waits for a person.
"""

from contracts.looks import Look
from contracts.runs.messages import AdvanceRun, CancelRequested, ExecuteTasks, RunsChanged, StartRun

START_RUN = Look(
    StartRun,
    "runs that were requested and never planned",
    """
    SELECT id FROM runs
     WHERE status = 'requested' AND parked_by IS NULL
     ORDER BY id LIMIT :limit
    """,
)

ADVANCE_RUN = Look(
    AdvanceRun,
    "runs with settled tasks that no plan has seen, a timer that is due, or a cancel nobody acted on",
    """
    SELECT id FROM (
        (SELECT DISTINCT tasks.run_id AS id FROM tasks JOIN runs ON runs.id = tasks.run_id
          WHERE tasks.unplanned AND runs.ended_at IS NULL AND runs.parked_by IS NULL LIMIT :limit)
        UNION
        (SELECT id FROM runs
          WHERE wake_at <= now() AND ended_at IS NULL AND parked_by IS NULL LIMIT :limit)
        UNION
        (SELECT id FROM runs
          WHERE cancel_requested_at IS NOT NULL AND ended_at IS NULL AND parked_by IS NULL
            AND status NOT IN ('requested', 'cancelling') LIMIT :limit)
    ) AS due
    LIMIT :limit
    """,
)

EXECUTE_TASKS = Look(
    ExecuteTasks,
    "tasks that are ready, or that a lost worker left behind",
    """
    (SELECT id FROM tasks
      WHERE state = 'ready' AND not_before <= now() AND parked_by IS NULL AND pool = ANY(:pools)
      ORDER BY not_before, id LIMIT :limit)
    UNION ALL
    (SELECT id FROM tasks
      WHERE state = 'running' AND worker_id IS NULL AND parked_by IS NULL AND pool = ANY(:pools)
      ORDER BY id LIMIT :limit)
    """,
)

CANCEL_REQUESTED = Look(
    CancelRequested,
    "running tasks of this worker whose run is to be cancelled; the heartbeat asks it",
    """
    SELECT tasks.id FROM tasks JOIN runs ON runs.id = tasks.run_id
     WHERE tasks.worker_id = :worker_id AND tasks.state = 'running'
       AND runs.cancel_requested_at IS NOT NULL
     LIMIT :limit
    """,
)

RUNS_CHANGED = Look(
    RunsChanged,
    "what stands after a stream's cursor; only rows below every transaction still open, so none is missed",
    """
    SELECT xid::text::bigint AS xid, id, kind, event, task_id, attempt, stream, seq, data,
           occurred_at FROM (
        (SELECT xid, id, kind, event, NULL::uuid AS task_id, NULL::int AS attempt,
                NULL::text AS stream, NULL::int AS seq, NULL::text AS data, NULL::timestamptz AS occurred_at
           FROM run_events
          WHERE run_id = :run_id AND (xid, id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint))
            AND xid < pg_snapshot_xmin(pg_current_snapshot())
          ORDER BY xid, id LIMIT :limit)
        UNION ALL
        (SELECT xid, id, 'output', NULL, task_id, attempt, stream, seq, data, occurred_at
           FROM output_chunks
          WHERE run_id = :run_id AND (xid, id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS bigint))
            AND xid < pg_snapshot_xmin(pg_current_snapshot())
          ORDER BY xid, id LIMIT :limit)
    ) AS rows
    ORDER BY rows.xid, rows.id LIMIT :limit
    """,
    seconds=2.0,
)

LOOKS: tuple[Look, ...] = (START_RUN, ADVANCE_RUN, EXECUTE_TASKS, CANCEL_REQUESTED, RUNS_CHANGED)
