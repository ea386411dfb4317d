"""What executors write on targets: the facts they told."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from infra.database import Statements


async def store_facts(session: Statements, facts: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Replace the facts of each task's target. Targets are locked in key order; no edit of theirs counts."""
    await session.execute(
        text("""
            WITH w AS (
                SELECT * FROM unnest(CAST(:tasks AS uuid[]), CAST(:facts AS text[])) AS w (task_id, facts)),
            told AS (
                SELECT DISTINCT ON (g.id) g.id, w.facts
                  FROM w JOIN tasks AS t ON t.id = w.task_id JOIN targets AS g ON g.id = t.target_id
                 ORDER BY g.id, w.task_id DESC),
            locked AS (
                SELECT id FROM targets WHERE id IN (SELECT id FROM told) ORDER BY id FOR NO KEY UPDATE)
            UPDATE targets SET facts = told.facts::jsonb, facts_at = now()
              FROM told JOIN locked ON locked.id = told.id WHERE targets.id = told.id
        """),
        {"tasks": list(facts), "facts": [orjson.dumps(one).decode() for one in facts.values()]},
    )
