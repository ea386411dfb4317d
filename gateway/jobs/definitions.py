"""Parsed job versions. A version never changes, so it is read and parsed once per process."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import text

from contracts.jobs.definition import JobDefinition, parse_definition
from infra.database import Statements

KEPT = 500

JobVersion = tuple[UUID, int]

_LOAD = text("""
    SELECT job_id, version, definition FROM job_versions
     WHERE (job_id, version) IN
           (SELECT * FROM unnest(CAST(:jobs AS uuid[]), CAST(:versions AS int[])))
""")


class Definitions:
    """The most recently used definitions of this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[JobVersion, JobDefinition] = OrderedDict()

    async def load(
        self, session: Statements, wanted: Collection[JobVersion]
    ) -> Mapping[JobVersion, JobDefinition]:
        """Those of `wanted` that exist, with at most one query."""
        found = {place: self._kept[place] for place in wanted if place in self._kept}
        for place in found:
            self._kept.move_to_end(place)
        missing = [place for place in set(wanted) if place not in found]
        if missing:
            rows = await session.execute(
                _LOAD, {"jobs": [job for job, _ in missing], "versions": [version for _, version in missing]}
            )
            for row in rows:
                found[row.job_id, row.version] = self._keep(row.job_id, row.version, row.definition)
        return found

    async def one(self, session: Statements, job_id: UUID, version: int) -> JobDefinition:
        """One that is known to exist, because a row refers to it."""
        return (await self.load(session, [(job_id, version)]))[job_id, version]

    def _keep(self, job_id: UUID, version: int, document: object) -> JobDefinition:
        definition = parse_definition(document)
        self._kept[job_id, version] = definition
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return definition
