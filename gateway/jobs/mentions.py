"""Which jobs speak of a target or of a credential, by what their newest versions say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_CHOICES = text("""
    SELECT j.id, j.name, j.current_version AS version, v.definition -> 'targets' AS targets,
           (SELECT jsonb_agg(s.step -> 'target' ORDER BY s.place)
              FROM jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s (step, place)) AS steps
      FROM jobs AS j JOIN job_versions AS v ON v.job_id = j.id AND v.version = j.current_version
     WHERE j.project_id = :project AND j.archived_at IS NULL ORDER BY j.name
""")
_CREDENTIALS = text("""
    SELECT DISTINCT said.credential, j.id, j.name
      FROM jobs AS j JOIN job_versions AS v ON v.job_id = j.id AND v.version = j.current_version,
           LATERAL (
               SELECT s.step ->> 'credential' AS credential
                 FROM jsonb_array_elements(v.definition -> 'steps') AS s (step)
               UNION ALL
               SELECT p.spec ->> 'default'
                 FROM jsonb_each(COALESCE(NULLIF(v.definition -> 'parameters', 'null'), '{}'))
                      AS p (name, spec)
                WHERE jsonb_typeof(p.spec) = 'object' AND p.spec ->> 'type' = 'credential') AS said
     WHERE j.project_id = :project AND j.archived_at IS NULL
       AND said.credential = ANY(CAST(:names AS text[]))
     ORDER BY j.name
""")


class NamedJob(BaseModel):
    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One place of a definition that says which targets are meant: by names, or by a query."""

    place: str
    names: tuple[str, ...] = ()
    query: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChoices:
    id: UUID
    name: str
    version: int
    choices: tuple[Choice, ...]


async def target_choices(session: AsyncSession, project_id: UUID) -> list[JobChoices]:
    """What every job says of its targets, by the job's name."""
    rows = await session.execute(_CHOICES, {"project": project_id})
    return [
        JobChoices(id=row.id, name=row.name, version=row.version, choices=_choices(row.targets, row.steps))
        for row in rows
    ]


async def jobs_naming_credentials(
    session: AsyncSession, project_id: UUID, names: Collection[str]
) -> dict[str, list[NamedJob]]:
    """Jobs with a step or a parameter's default that names one of these credentials, by credential."""
    found: dict[str, list[NamedJob]] = {}
    rows = await session.execute(_CREDENTIALS, {"project": project_id, "names": list(names)})
    for row in rows:
        found.setdefault(row.credential, []).append(NamedJob(id=row.id, name=row.name))
    return found


def _choices(own: Any, steps: Sequence[Any]) -> tuple[Choice, ...]:
    places = [("targets", own), *((f"steps.{at}.target", said) for at, said in enumerate(steps))]
    return tuple(_choice(place, said) for place, said in places if said)


def _choice(place: str, said: Any) -> Choice:
    if isinstance(said, dict):
        return Choice(place=place, query=str(said.get("query", "")))
    return Choice(place=place, names=(said,) if isinstance(said, str) else tuple(said))
