"""Job versions as workers read them: they never change, so they are parsed once and kept."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from contracts.jobs.definition import JobDefinition, parse_definition
from infra.database import Statements

KEPT = 500

Key = tuple[UUID, int]
"""Job id and version."""


class Definitions:
    """A bounded cache of job versions."""

    def __init__(self) -> None:
        self._kept: dict[Key, JobDefinition] = {}

    async def of(self, session: Statements, keys: Iterable[Key]) -> dict[Key, JobDefinition]:
        """The definition of each key; raises `Invalid` for one this program cannot read."""
        wanted = set(keys)
        if missing := wanted - self._kept.keys():
            await self._load(session, missing)
        found = {key: self._kept[key] for key in wanted}
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept)))
        return found

    async def _load(self, session: Statements, missing: set[Key]) -> None:
        rows = await session.execute(
            text("""
                SELECT job_id, version, definition FROM job_versions
                 WHERE (job_id, version) IN (
                       SELECT * FROM unnest(CAST(:jobs AS uuid[]), CAST(:versions AS int[])))
            """),
            {"jobs": [job for job, _ in missing], "versions": [version for _, version in missing]},
        )
        for row in rows:
            self._kept[row.job_id, row.version] = parse_definition(row.definition)
