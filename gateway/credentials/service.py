"""What the API lets people do to credentials. No HTTP in here."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from contracts.credentials.types import CredentialType
from contracts.errors import NameTaken, StillInUse
from contracts.tables.credentials import CredentialHoldRow, CredentialRow, CredentialVersionRow
from contracts.tables.targets import TargetRow
from gateway.auditing import audit
from gateway.credentials.queries import get_credential, users_of
from gateway.credentials.schemas import (
    CredentialChange,
    CredentialCreate,
    CredentialRotate,
    ReleaseRequest,
    UsedBy,
)
from gateway.deps import Actor
from gateway.etags import etag, require_match
from gateway.history import differences
from gateway.idempotency import RequestKey, claim_key
from infra.clock import now
from infra.ids import uuid7
from infra.sealing import Sealer, bound_to_credential
from infra.unit_of_work import UnitOfWork


async def create_credential(
    uow: UnitOfWork, who: Actor, body: CredentialCreate, *, sealer: Sealer, key: RequestKey | None
) -> CredentialRow:
    """A new credential with its secrets sealed; raises `NameTaken` or `Invalid`."""
    secrets = body.for_type(body.type)
    credential_id = uuid7()
    if first := await claim_key(uow.session, key, credential_id):
        return await get_credential(uow.session, who.project_id, first)
    row = CredentialRow(
        id=credential_id,
        project_id=who.project_id,
        name=body.name,
        type=body.type.value,
        username=body.username,
        labels=dict(body.labels),
        current_version=1,
        created_by=who.principal,
    )
    uow.session.add(row)
    await _flush(uow, body.name)
    _add_version(uow, who, row, secrets, sealer)
    await audit(uow, who, "credentials.create", "credential", row.id, name=row.name, type=row.type)
    return row


async def change_credential(
    uow: UnitOfWork,
    who: Actor,
    credential_id: UUID,
    body: CredentialChange,
    *,
    sealer: Sealer,
    if_match: str | None,
) -> CredentialRow:
    """Rename it, correct its account, or give it new secrets."""
    row = await get_credential(uow.session, who.project_id, credential_id, to_change=True)
    require_match(if_match, tag_of(row))
    before = _fields(row)
    row.name = body.name or row.name
    row.username = row.username if body.username is None else body.username
    row.labels = row.labels if body.labels is None else dict(body.labels)
    row.updated_at = now()
    if body.given():
        _new_version(uow, who, row, body.for_type(CredentialType(row.type)), sealer)
    await _release(uow, row)
    await _flush(uow, row.name)
    about = {"name": row.name, "version": row.current_version, "changes": differences(before, _fields(row))}
    await audit(uow, who, "credentials.change", "credential", row.id, **about)
    return row


async def rotate_credential(
    uow: UnitOfWork, who: Actor, credential_id: UUID, body: CredentialRotate, *, sealer: Sealer
) -> CredentialRow:
    """A new version of the secrets; what was held back because of the old one may be tried again."""
    row = await get_credential(uow.session, who.project_id, credential_id, to_change=True)
    before = _fields(row)
    _new_version(uow, who, row, body.for_type(CredentialType(row.type)), sealer)
    await _release(uow, row)
    row.updated_at = now()
    about = {"version": row.current_version, "changes": differences(before, _fields(row))}
    await audit(uow, who, "credentials.rotate", "credential", row.id, **about)
    return row


async def release_credential(
    uow: UnitOfWork, who: Actor, credential_id: UUID, body: ReleaseRequest
) -> CredentialRow:
    """Let it be tried again, on one target or everywhere. Asking twice changes nothing."""
    row = await get_credential(uow.session, who.project_id, credential_id, to_change=True)
    await _release(uow, row, target_id=body.target_id)
    row.updated_at = now()
    target = None if body.target_id is None else str(body.target_id)
    await audit(
        uow,
        who,
        "credentials.release",
        "credential",
        row.id,
        version=row.current_version,
        reason=body.reason,
        target_id=target,
    )
    return row


async def _release(uow: UnitOfWork, row: CredentialRow, *, target_id: UUID | None = None) -> None:
    """The hold of the whole credential ends in any case: what one target rejects is noted for it alone."""
    row.held_reason = row.held_at = row.held_version = None
    holds = delete(CredentialHoldRow).where(CredentialHoldRow.credential_id == row.id)
    if target_id is not None:
        holds = holds.where(CredentialHoldRow.target_id == target_id)
    await uow.session.execute(holds)


async def archive_credential(
    uow: UnitOfWork, who: Actor, credential_id: UUID, *, if_match: str | None, force: bool = False
) -> None:
    """Take it out of use; raises `StillInUse` naming the targets and jobs that need it.

    With `force` those targets are left without a credential instead, and those jobs' steps fail.
    """
    row = await get_credential(uow.session, who.project_id, credential_id, to_change=True)
    require_match(if_match, tag_of(row))
    used = (await users_of(uow.session, [row]))[row.id]
    if (used.targets or used.jobs) and not force:
        raise StillInUse(f"{row.name} is used by {_in_words(used)}; give those another credential first.")
    row.archived_at = row.updated_at = now()
    taken = await _take_from_targets(uow, who, row.id) if used.targets else []
    about = {"name": row.name, "forced": force, "taken_from": taken}
    named = [job.name for job in used.jobs_sample]
    await audit(uow, who, "credentials.delete", "credential", row.id, **about, named_by=named)


def _in_words(used: UsedBy) -> str:
    """`web-1, web-2 and steps of the job health`."""
    targets = _some([target.name for target in used.sample], used.targets)
    jobs = _some([job.name for job in used.jobs_sample], used.jobs)
    steps = f"steps of the {'job' if used.jobs == 1 else 'jobs'} {jobs}" if used.jobs else ""
    return " and ".join(part for part in (targets, steps) if part)


def _some(names: Sequence[str], count: int) -> str:
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return ", ".join(names) + more


async def _take_from_targets(uow: UnitOfWork, who: Actor, credential_id: UUID) -> list[str]:
    """Leave the targets that use it without a credential, each under its next version; their names."""
    found = await uow.session.execute(
        update(TargetRow)
        .where(TargetRow.credential_id == credential_id, TargetRow.archived_at.is_(None))
        .values(credential_id=None, version=TargetRow.version + 1, updated_at=now())
        .returning(TargetRow.id, TargetRow.name, TargetRow.version)
    )
    targets = found.all()
    changes = differences({"credential_id": credential_id}, {})
    for target_id, name, version in targets:
        about = {"name": name, "version": version, "changes": changes}
        await audit(uow, who, "targets.change", "target", target_id, **about)
    return sorted(name for _, name, _ in targets)


def _fields(row: CredentialRow) -> dict[str, Any]:
    """What may be told of it when it changes; of its secrets only which version they are."""
    return {
        "name": row.name, "username": row.username, "labels": row.labels,
        "secrets": f"version {row.current_version}",
    }  # fmt: skip


def tag_of(row: CredentialRow) -> str:
    return etag(row.current_version, row.updated_at)


def _new_version(
    uow: UnitOfWork, who: Actor, row: CredentialRow, secrets: Mapping[str, str], sealer: Sealer
) -> None:
    row.current_version += 1
    _add_version(uow, who, row, secrets, sealer)


def _add_version(
    uow: UnitOfWork, who: Actor, row: CredentialRow, secrets: Mapping[str, str], sealer: Sealer
) -> None:
    sealed = sealer.seal(secrets, bound_to=bound_to_credential(row.project_id, row.id, row.current_version))
    uow.session.add(
        CredentialVersionRow(
            credential_id=row.id,
            version=row.current_version,
            key_id=sealed.key_id,
            wrapped_key=sealed.wrapped_key,
            nonce=sealed.nonce,
            ciphertext=sealed.ciphertext,
            created_by=who.principal,
        )
    )


async def _flush(uow: UnitOfWork, name: str) -> None:
    try:
        await uow.session.flush()
    except IntegrityError as error:
        raise NameTaken(f"There is already a credential named {name}.") from error
