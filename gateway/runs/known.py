"""Which of the targets and files that run requests name are there, asked once for a whole batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import TextClause, text

from contracts.jobs.definition import JobDefinition
from contracts.jobs.fitting import is_id
from contracts.targets.choosing import names_in
from gateway.runs.requests import KnownNames, RunRequest, named_by
from infra.database import Statements

_TARGETS = text("""
    SELECT project_id, name FROM targets
     WHERE project_id = ANY(CAST(:projects AS uuid[])) AND name = ANY(CAST(:names AS text[]))
       AND archived_at IS NULL
""")
_FILES = text("""
    SELECT project_id, id::text AS name FROM artifacts
     WHERE project_id = ANY(CAST(:projects AS uuid[])) AND id = ANY(CAST(:names AS uuid[]))
       AND state = 'ready' AND (expires_at IS NULL OR expires_at > now())
""")

_CREDENTIALS = text("""
    SELECT project_id, id::text AS id, name FROM credentials
     WHERE project_id = ANY(CAST(:projects AS uuid[])) AND archived_at IS NULL
       AND (name = ANY(CAST(:names AS text[])) OR id = ANY(CAST(:ids AS uuid[])))
""")

Names = Mapping[UUID, set[str]]
"""By project."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request and the definition that it is to follow, if there is one."""

    request: RunRequest
    definition: JobDefinition | None


@dataclass(frozen=True, slots=True)
class Known:
    targets: Names
    files: Names
    credentials: Mapping[UUID, Mapping[str, str]]
    """Ids by name, by project; those that a run named by their ids among them."""

    def of(self, project: UUID) -> KnownNames:
        return KnownNames(
            self.targets.get(project, ()), self.files.get(project, ()), self.credentials.get(project, {})
        )


async def known_names(session: Statements, wanted: Sequence[Wanted]) -> Known:
    """No statement for what no request names."""
    targets = {
        name
        for each in wanted
        for name in (
            *names_in(each.request.targets),
            *(each.request.only_targets or ()),
            *_values(each, "target"),
        )
    }
    files = {name.lower() for each in wanted for name in _values(each, "file")}
    credentials = {name for each in wanted for name in _values(each, "credential")}
    projects = list({each.request.project_id for each in wanted})
    return Known(
        await _ask(session, _TARGETS, projects, targets),
        await _ask(session, _FILES, projects, files),
        await _credentials(session, projects, credentials),
    )


def _values(wanted: Wanted, kind: str) -> list[str]:
    return [value for _, value in named_by(wanted.request, wanted.definition, kind)]


async def _credentials(
    session: Statements, projects: list[UUID], names: set[str]
) -> Mapping[UUID, Mapping[str, str]]:
    known: dict[UUID, dict[str, str]] = {}
    if names:
        asked = {"projects": projects, "names": list(names), "ids": [name for name in names if is_id(name)]}
        for row in await session.execute(_CREDENTIALS, asked):
            known.setdefault(row.project_id, {})[row.name] = row.id
    return known


async def _ask(session: Statements, query: TextClause, projects: list[UUID], names: set[str]) -> Names:
    known: dict[UUID, set[str]] = {}
    if names:
        for row in await session.execute(query, {"projects": projects, "names": list(names)}):
            known.setdefault(row.project_id, set()).add(row.name)
    return known
