"""What refers to a job: its runs, version by version, and filters that people keep."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.principals import Principal

COUNTED = 10_000

_VERSIONS = text("""
    SELECT job_version AS version, count(*) AS runs, count(*) FILTER (WHERE ended_at IS NULL) AS open,
           max(requested_at) AS last_at
      FROM (SELECT job_version, ended_at, requested_at FROM runs
             WHERE job_id = :job ORDER BY id DESC LIMIT :counted) AS latest
     GROUP BY job_version ORDER BY job_version DESC
""")
_FILTERS = text("""
    SELECT f.id, f.name, f.shared, u.username AS owner_name
      FROM saved_filters AS f JOIN users AS u ON u.id = f.owner_id
     WHERE f.project_id = :project AND f.page = 'runs' AND f.query ->> 'job' = CAST(:job AS text)
       AND (f.shared OR f.owner_id = :me)
     ORDER BY f.name, f.id LIMIT 100
""")


class VersionUse(BaseModel):
    """`open` of the runs have not ended."""

    version: int
    runs: int
    open: int
    last_at: datetime


class FilterUse(BaseModel):
    id: UUID
    name: str
    shared: bool
    owner_name: str


class JobUses(BaseModel):
    """`versions` counts the newest 10,000 runs; `filters` are those the caller sees."""

    versions: list[VersionUse]
    filters: list[FilterUse]


async def uses_of(session: AsyncSession, caller: Principal, job_id: UUID) -> JobUses:
    """Whatever speaks of this job."""
    versions = await session.execute(_VERSIONS, {"job": job_id, "counted": COUNTED})
    about = {"project": caller.project_id, "job": str(job_id), "me": caller.user_id}
    filters = await session.execute(_FILTERS, about)
    return JobUses(
        versions=[VersionUse(**row) for row in versions.mappings()],
        filters=[FilterUse(**row) for row in filters.mappings()],
    )
