"""What uses a target: jobs that name or select it, and targets that are reached through it."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.tables.targets import TargetRow
from contracts.targets.query import QueryRefused, parse_query
from contracts.targets.selecting import condition
from gateway.jobs.mentions import JobChoices, target_choices

QUERIES_AT_ONCE = 50

_BEHIND = text("""
    SELECT id, name FROM targets
     WHERE project_id = :project AND archived_at IS NULL AND ssh -> 'jump_host' ->> 'target' = :name
     ORDER BY name
""")


class UsingJob(BaseModel):
    """`named` jobs would fail without the target; of the others, a query just selects it now."""

    id: UUID
    name: str
    version: int
    how: Literal["named", "query"]
    places: list[str]
    """Fields of the definition that say so, such as `targets` or `steps.0.target`."""
    query: str | None


class UsingTarget(BaseModel):
    id: UUID
    name: str


class TargetUses(BaseModel):
    """`behind`: targets whose way leads through this one, as their jump host."""

    jobs: list[UsingJob]
    behind: list[UsingTarget]

    def needing(self) -> list[str]:
        """In words, who would fail without it."""
        named = [f"the job {job.name}" for job in self.jobs if job.how == "named"]
        return named + [f"{target.name}, which is reached through it" for target in self.behind]


async def uses_of(session: AsyncSession, row: TargetRow) -> TargetUses:
    """Everything that speaks of this target now."""
    jobs = await target_choices(session, row.project_id)
    fitting = await _fitting(session, row.id, _queries(jobs))
    behind = await session.execute(_BEHIND, {"project": row.project_id, "name": row.name})
    return TargetUses(
        jobs=list(_using(jobs, row.name, fitting)),
        behind=[UsingTarget(id=target.id, name=target.name) for target in behind],
    )


def _queries(jobs: Sequence[JobChoices]) -> list[str]:
    every = (choice.query for job in jobs for choice in job.choices)
    return list(dict.fromkeys(query for query in every if query is not None))


def _using(jobs: Sequence[JobChoices], name: str, fitting: frozenset[str]) -> Iterator[UsingJob]:
    for job in jobs:
        named = [choice for choice in job.choices if name in choice.names]
        asked = [choice for choice in job.choices if choice.query in fitting]
        if found := named or asked:
            yield UsingJob(
                id=job.id,
                name=job.name,
                version=job.version,
                how="named" if named else "query",
                places=[choice.place for choice in found],
                query=found[0].query,
            )


async def _fitting(session: AsyncSession, target_id: UUID, queries: Sequence[str]) -> frozenset[str]:
    """Those of `queries` that select the target."""
    found: set[str] = set()
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        some = queries[start : start + QUERIES_AT_ONCE]
        values: dict[str, Any] = {"id": target_id}
        columns = []
        for place, query in enumerate(some):
            try:
                fits = condition(parse_query(query), prefix=f"q{place}_")
            except QueryRefused:
                continue  # written for another version of the language: it selects nothing here
            values |= fits.values
            columns.append(f"{fits.sql} AS c{place}")
        if columns:
            sql = text(f"SELECT {', '.join(columns)} FROM targets WHERE id = :id")  # noqa: S608  (values are bound)
            answer = (await session.execute(sql, values)).mappings().one()
            found |= {some[int(column[1:])] for column, fits in answer.items() if fits}
    return frozenset(found)
