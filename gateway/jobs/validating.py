"""Whether a document could be saved as a job, and what it would run on, without saving anything."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import FieldProblem, Invalid
from contracts.jobs.definition import JobDefinition, step_name
from contracts.jobs.yamltext import Places
from contracts.targets.choosing import ChosenTargets, TargetQuery, names_in
from gateway.credentials.queries import known_credentials
from gateway.jobs.checks import check_definition, named_targets, require_known, unwrap
from gateway.jobs.typed_checks import named_credentials, require_credentials
from gateway.strictjson import read_json, read_yaml
from gateway.targets.queries import TargetFilter, known_names, list_targets

SHOWN_TARGETS = 20
COUNTED_TARGETS = 10_000


class JobProblem(BaseModel):
    """`path` such as `steps.0.command`; line and column count from 1, null where there is no place."""

    path: str
    line: int | None
    column: int | None
    message: str
    suggestion: str | None


class ValidationView(BaseModel):
    valid: bool
    name: str | None
    problems: list[JobProblem]


class StepTargets(BaseModel):
    """What one step would run on: the first twenty names, and names that do not exist."""

    step: str
    count: int
    targets: list[str]
    missing: list[str]
    query: str | None


class TargetsPreview(BaseModel):
    """`count` targets in all, as of now; a run looks again when it starts."""

    count: int
    steps: list[StepTargets]


async def validate(session: AsyncSession, project_id: UUID, text: bytes, *, is_yaml: bool) -> ValidationView:
    """Everything that saving this document would be refused for."""
    try:
        definition = check_definition(_read(text, is_yaml=is_yaml))
        fields = named_targets(definition)
        require_known(fields, await known_names(session, project_id, fields.keys()))
        named = named_credentials(definition)
        require_credentials(named, await known_credentials(session, project_id, named.keys()))
    except Invalid as error:
        return ValidationView(valid=False, name=None, problems=_located(text, error.problems))
    return ValidationView(valid=True, name=definition.name, problems=[])


def _read(text: bytes, *, is_yaml: bool) -> Any:
    return unwrap(read_yaml(text) if is_yaml else read_json(text)).document


def _located(text: bytes, problems: Sequence[FieldProblem]) -> list[JobProblem]:
    places = Places.in_text(text.decode(errors="replace"))
    found = []
    for problem in problems:
        unreadable = problem.field == "body" and problem.line is not None
        place = (problem.line or 1, 1) if unreadable else places.of(problem)
        found.append(
            JobProblem(
                path=problem.field,
                line=place[0] if place else None,
                column=place[1] if place else None,
                message=problem.reason,
                suggestion=problem.suggestion,
            )
        )
    return found


async def preview_targets(
    session: AsyncSession, project_id: UUID, definition: JobDefinition, chosen: ChosenTargets | None
) -> TargetsPreview:
    """What every step would run on if it started now."""
    steps, touched = [], set[str]()
    for index, step in enumerate(definition.steps):
        inherited = definition.targets if chosen is None else chosen
        wanted = step.target if step.target is not None else inherited
        names, missing = await _fitting(session, project_id, wanted)
        touched |= set(names)
        steps.append(
            StepTargets(
                step=step_name(step, index),
                count=len(names),
                targets=names[:SHOWN_TARGETS],
                missing=missing[:SHOWN_TARGETS],
                query=wanted.query if isinstance(wanted, TargetQuery) else None,
            )
        )
    return TargetsPreview(count=len(touched), steps=steps)


async def _fitting(
    session: AsyncSession, project_id: UUID, wanted: ChosenTargets
) -> tuple[list[str], list[str]]:
    """Names that exist, and names that do not."""
    if isinstance(wanted, TargetQuery):
        fits = TargetFilter(query=wanted.parsed)
        rows = await list_targets(session, project_id, fits, limit=COUNTED_TARGETS)
        return [row.name for row in rows[:COUNTED_TARGETS]], []
    names = list(dict.fromkeys(names_in(wanted)))
    known = await known_names(session, project_id, names)
    return [name for name in names if name in known], [name for name in names if name not in known]
