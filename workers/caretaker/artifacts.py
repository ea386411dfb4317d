"""Removing artifacts that expired, were deleted or never became whole: a little at a time."""

import structlog
from sqlalchemy import TextClause, text

from infra.unit_of_work import OpenPlainUnitOfWork

PIECES_AT_ONCE = 64
ROWS_AT_ONCE = 100

_END = text("""
    UPDATE artifacts SET state = 'deleted', touched_at = now() WHERE id IN (
        SELECT id FROM artifacts AS a
         WHERE (state = 'ready' AND expires_at <= now())
            OR (state = 'writing' AND touched_at < now() - interval '1 hour')
            OR (state = 'writing' AND task_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM tasks AS t WHERE t.id = a.task_id AND t.state = 'running'))
         LIMIT :at_once FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
"""Ends what has expired, and what lost its writer: its task is over, or an hour went by without a piece."""
_PIECES = text("""
    DELETE FROM artifact_pieces WHERE (artifact_id, number) IN (
        SELECT p.artifact_id, p.number
          FROM artifacts AS a JOIN artifact_pieces AS p ON p.artifact_id = a.id
         WHERE a.state = 'deleted' LIMIT :at_once)
    RETURNING number
""")
_ROWS = text("""
    DELETE FROM artifacts WHERE id IN (
        SELECT id FROM artifacts AS a
         WHERE state = 'deleted' AND NOT EXISTS (SELECT 1 FROM artifact_pieces WHERE artifact_id = a.id)
         LIMIT :at_once FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
_PULLS = text("DELETE FROM artifact_pulls WHERE expires_at < now()")

log = structlog.get_logger()


async def sweep(open_uow: OpenPlainUnitOfWork) -> int:
    """Remove all that is to go, 64 MiB in a transaction; how many artifacts went."""
    await _all(open_uow, _END, ROWS_AT_ONCE)
    await _all(open_uow, _PIECES, PIECES_AT_ONCE)
    removed = await _all(open_uow, _ROWS, ROWS_AT_ONCE)
    async with open_uow() as uow:
        await uow.session.execute(_PULLS)
    if removed:
        log.info("artifacts.removed", count=removed)
    return removed


async def _all(open_uow: OpenPlainUnitOfWork, statement: TextClause, at_once: int) -> int:
    """Repeat `statement`, a transaction each time, until it finds less than it may take; rows in all."""
    total = 0
    while True:
        async with open_uow() as uow:
            rows = len(list(await uow.session.scalars(statement, {"at_once": at_once})))
        total += rows
        if rows < at_once:
            return total
