"""What the API lets people do to credentials. No HTTP in here."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from contracts.credentials.types import CredentialType
from contracts.errors import NameTaken, StillInUse
from contracts.tables.credentials import CredentialRow, CredentialVersionRow
from contracts.tables.targets import TargetRow
from gateway.auditing import audit
from gateway.credentials.queries import get_credential
from gateway.credentials.schemas import CredentialChange, CredentialCreate, CredentialRotate
from gateway.deps import Actor
from gateway.etags import etag, require_match
from gateway.idempotency import RequestKey, claim_key
from infra.clock import now
from infra.ids import uuid7
from infra.sealing import Sealer, bound_to_credential
from infra.unit_of_work import UnitOfWork

NAMED_TARGETS = 10


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
    row.name = body.name or row.name
    row.username = row.username if body.username is None else body.username
    row.updated_at = now()
    if body.given():
        _new_version(uow, who, row, body.for_type(CredentialType(row.type)), sealer)
    row.held_reason = None
    await _flush(uow, row.name)
    await audit(
        uow, who, "credentials.change", "credential", row.id, name=row.name, version=row.current_version
    )
    return row


async def rotate_credential(
    uow: UnitOfWork, who: Actor, credential_id: UUID, body: CredentialRotate, *, sealer: Sealer
) -> CredentialRow:
    """A new version of the secrets; what was held back because of the old one may be tried again."""
    row = await get_credential(uow.session, who.project_id, credential_id, to_change=True)
    _new_version(uow, who, row, body.for_type(CredentialType(row.type)), sealer)
    row.held_reason, row.updated_at = None, now()
    await audit(uow, who, "credentials.rotate", "credential", row.id, version=row.current_version)
    return row


async def archive_credential(
    uow: UnitOfWork, who: Actor, credential_id: UUID, *, if_match: str | None
) -> None:
    """Take it out of use; raises `StillInUse` naming the targets that need it."""
    row = await get_credential(uow.session, who.project_id, credential_id, to_change=True)
    require_match(if_match, tag_of(row))
    users = (
        await uow.session.scalars(
            select(TargetRow.name)
            .where(TargetRow.credential_id == row.id, TargetRow.archived_at.is_(None))
            .order_by(TargetRow.name)
            .limit(NAMED_TARGETS + 1)
        )
    ).all()
    if users:
        more = " and more" if len(users) > NAMED_TARGETS else ""
        named = ", ".join(users[:NAMED_TARGETS])
        raise StillInUse(f"{row.name} is used by {named}{more}; give those targets another credential first.")
    row.archived_at = row.updated_at = now()
    await audit(uow, who, "credentials.delete", "credential", row.id, name=row.name)


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
