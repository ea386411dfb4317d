"""What the API lets people do to jobs. No HTTP in here."""

from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from contracts.errors import NameTaken
from contracts.jobs.definition import JobDefinition
from contracts.tables.jobs import JobRow, JobVersionRow
from gateway.auditing import audit
from gateway.credentials.queries import known_credentials
from gateway.deps import Actor
from gateway.etags import etag, require_match
from gateway.idempotency import RequestKey, claim_key
from gateway.jobs.checks import check_definition, named_targets, require_known, unwrap
from gateway.jobs.queries import get_job, get_version
from gateway.jobs.typed_checks import named_credentials, require_credentials
from gateway.targets.queries import known_names
from infra.clock import now
from infra.ids import uuid7
from infra.unit_of_work import UnitOfWork


async def create_job(
    uow: UnitOfWork,
    who: Actor,
    body: Any,
    *,
    key: RequestKey | None,
    source: str | None = None,
    message: str | None = None,
) -> tuple[JobRow, JobVersionRow]:
    """A new job at version 1; raises `Invalid` for a definition that cannot be saved, `NameTaken`."""
    document, active, labels, own = unwrap(body)
    definition = check_definition(document)
    job_id = uuid7()
    if first := await claim_key(uow.session, key, job_id):
        row = await get_job(uow.session, who.project_id, first)
        return row, await get_version(uow.session, row.id, row.current_version)
    await _require_named(uow, who, definition)
    row = JobRow(
        id=job_id,
        project_id=who.project_id,
        name=definition.name,
        active=active is not False,
        labels=labels or {},
        current_version=1,
        created_by=who.principal,
    )
    uow.session.add(row)
    await _flush(uow, row.name)
    version = await _add_version(uow, who, row, document, (own if document is not body else source, message))
    await audit(uow, who, "jobs.create", "job", row.id, name=row.name)
    return row, version


async def change_job(
    uow: UnitOfWork,
    who: Actor,
    job_id: UUID,
    body: Any,
    *,
    if_match: str | None,
    source: str | None = None,
    message: str | None = None,
) -> tuple[JobRow, JobVersionRow]:
    """The definition as a new version; runs under way keep theirs."""
    document, active, labels, own = unwrap(body)
    definition = check_definition(document)
    row = await get_job(uow.session, who.project_id, job_id, to_change=True)
    require_match(if_match, tag_of(row))
    await _require_named(uow, who, definition)
    row.name, row.current_version, row.updated_at = definition.name, row.current_version + 1, now()
    row.active = row.active if active is None else active
    row.labels = row.labels if labels is None else labels
    row.inactive_reason = None if row.active else row.inactive_reason
    await _flush(uow, row.name)
    version = await _add_version(uow, who, row, document, (own if document is not body else source, message))
    await audit(
        uow, who, "jobs.change", "job", row.id, name=row.name, version=version.version, active=row.active
    )
    return row, version


async def set_active(
    uow: UnitOfWork, who: Actor, job_id: UUID, *, active: bool, reason: str | None
) -> tuple[JobRow, JobVersionRow]:
    """Let runs of it start, or refuse them with `reason`; the version stays."""
    row = await get_job(uow.session, who.project_id, job_id, to_change=True)
    row.active, row.inactive_reason, row.updated_at = active, reason, now()
    word = "jobs.activate" if active else "jobs.deactivate"
    await audit(uow, who, word, "job", row.id, name=row.name, reason=reason)
    return row, await get_version(uow.session, row.id, row.current_version)


async def archive_job(uow: UnitOfWork, who: Actor, job_id: UUID, *, if_match: str | None) -> None:
    """Take it out of use; its runs stay."""
    row = await get_job(uow.session, who.project_id, job_id, to_change=True)
    require_match(if_match, tag_of(row))
    row.archived_at = row.updated_at = now()
    await audit(uow, who, "jobs.delete", "job", row.id, name=row.name)


def tag_of(row: JobRow) -> str:
    return etag(row.current_version, row.updated_at)


async def _require_named(uow: UnitOfWork, who: Actor, definition: JobDefinition) -> None:
    fields = named_targets(definition)
    require_known(fields, await known_names(uow.session, who.project_id, fields.keys()))
    wanted = named_credentials(definition)
    require_credentials(wanted, await known_credentials(uow.session, who.project_id, wanted.keys()))


async def _add_version(
    uow: UnitOfWork, who: Actor, row: JobRow, document: Any, told: tuple[str | None, str | None]
) -> JobVersionRow:
    version = JobVersionRow(
        job_id=row.id,
        version=row.current_version,
        definition=document,
        source=told[0],
        message=told[1],
        created_by=who.principal,
    )
    uow.session.add(version)
    await uow.session.flush()
    return version


async def _flush(uow: UnitOfWork, name: str) -> None:
    try:
        await uow.session.flush()
    except IntegrityError as error:
        raise NameTaken(f"There is already a job named {name}.") from error
