"""What the ids that a run holds as parameters stand for."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.jobs.definition import JobDefinition
from contracts.jobs.fitting import is_id
from contracts.tables.runs import RunRow

_NAMES = text("""
    SELECT id, name FROM credentials WHERE project_id = :project AND id = ANY(CAST(:credentials AS uuid[]))
    UNION ALL
    SELECT id, name FROM artifacts WHERE project_id = :project AND id = ANY(CAST(:files AS uuid[]))
""")


async def parameter_names(session: AsyncSession, run: RunRow, definition: JobDefinition) -> dict[str, str]:
    """By parameter the name of the credential or the stored file it holds, if that is still known."""
    credentials, files = (dict(_held(run, definition, kind)) for kind in ("credential", "file"))
    if not credentials and not files:
        return {}
    asked = {
        "project": run.project_id,
        "credentials": list(credentials.values()),
        "files": list(files.values()),
    }
    names = {row.id: row.name for row in await session.execute(_NAMES, asked)}
    return {name: names[held] for name, held in (credentials | files).items() if held in names}


def _held(run: RunRow, definition: JobDefinition, kind: str) -> Iterator[tuple[str, UUID]]:
    for name, parameter in definition.parameters.items():
        value = run.parameters.get(name)
        if parameter.type == kind and isinstance(value, str) and is_id(value):
            yield name, UUID(value)
