"""What the API lets people do to targets. No HTTP in here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from contracts.errors import FieldProblem, Invalid, NameTaken, StillInUse
from contracts.tables.credentials import CredentialRow
from contracts.tables.targets import TargetRow
from gateway.auditing import audit
from gateway.deps import Actor
from gateway.etags import etag, require_match
from gateway.history import differences
from gateway.idempotency import RequestKey, claim_key
from gateway.targets.jumps import require_host_key, require_way
from gateway.targets.queries import get_target
from gateway.targets.schemas import TargetSpec
from gateway.targets.uses import uses_of
from infra.clock import now
from infra.ids import uuid7
from infra.unit_of_work import UnitOfWork

NAMED = 10


async def create_target(
    uow: UnitOfWork, who: Actor, body: TargetSpec, *, key: RequestKey | None
) -> TargetRow:
    """A new target; raises `NameTaken`, or `Invalid` for a credential that does not exist."""
    target_id = uuid7()
    if first := await claim_key(uow.session, key, target_id):
        return await get_target(uow.session, who.project_id, first)
    await require_credential(uow, who, body.credential_id)
    require_host_key(body.ssh)
    await require_way(uow.session, who.project_id, body.name, body.ssh)
    row = TargetRow(id=target_id, project_id=who.project_id, created_by=who.principal, labels={})
    _fill(row, body)
    uow.session.add(row)
    await _flush(uow, body.name)
    await audit(uow, who, "targets.create", "target", row.id, name=row.name, hostname=row.hostname)
    await _audit_unverified(uow, who, row, was_verified=True)
    return row


async def replace_target(
    uow: UnitOfWork, who: Actor, target_id: UUID, body: TargetSpec, *, if_match: str | None
) -> TargetRow:
    """The target as `body` says, under the next version number."""
    row = await get_target(uow.session, who.project_id, target_id, to_change=True)
    require_match(if_match, tag_of(row))
    await require_credential(uow, who, body.credential_id)
    require_host_key(body.ssh)
    await require_way(uow.session, who.project_id, body.name, body.ssh)
    was_verified, before = row.winrm.get("verify_tls", True), fields_of(row)
    _fill(row, body)
    row.version, row.updated_at = row.version + 1, now()
    await _flush(uow, body.name)
    changes = differences(before, fields_of(row))
    await audit(
        uow, who, "targets.change", "target", row.id, name=row.name, version=row.version, changes=changes
    )
    await _audit_unverified(uow, who, row, was_verified=was_verified)
    return row


async def archive_target(
    uow: UnitOfWork, who: Actor, target_id: UUID, *, if_match: str | None, force: bool = False
) -> None:
    """Take it out of use; raises `StillInUse` naming what would fail without it, unless forced.

    Its past runs keep telling of it.
    """
    row = await get_target(uow.session, who.project_id, target_id, to_change=True)
    require_match(if_match, tag_of(row))
    needing = (await uses_of(uow.session, row)).needing()
    if needing and not force:
        raise StillInUse(f"{row.name} is named by {_some(needing)}; change those first.")
    row.archived_at = row.updated_at = now()
    await audit(
        uow, who, "targets.delete", "target", row.id, name=row.name, forced=force, named_by=needing[:NAMED]
    )


def _some(words: Sequence[str]) -> str:
    more = " and more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


async def _audit_unverified(uow: UnitOfWork, who: Actor, row: TargetRow, *, was_verified: bool) -> None:
    """Switching the check of certificates off is a choice of its own, and so is switching it on again."""
    verified = row.winrm.get("verify_tls", True)
    if verified != was_verified:
        action = "targets.verify-tls-on" if verified else "targets.verify-tls-off"
        await audit(uow, who, action, "target", row.id, name=row.name, hostname=row.hostname)


def tag_of(row: TargetRow) -> str:
    return etag(row.version, row.updated_at)


def fields_of(row: TargetRow) -> dict[str, Any]:
    """What people say of a target, for telling what they changed."""
    names = ("name", "os", "hostname", "pool", "credential_id", "tags", "labels", "winrm", "ssh")
    return {name: getattr(row, name) for name in names}


def _fill(row: TargetRow, body: TargetSpec) -> None:
    row.name, row.os, row.hostname, row.pool = body.name, body.os.value, body.hostname, body.pool
    row.credential_id = body.credential_id
    row.tags = dict(body.tag_map())
    row.labels = row.labels if body.labels is None else dict(body.labels)
    row.winrm = body.winrm.model_dump(mode="json", exclude_defaults=True)
    row.ssh = body.ssh.model_dump(mode="json", exclude_defaults=True)


async def require_credential(uow: UnitOfWork, who: Actor, credential_id: UUID | None) -> None:
    """Raises `Invalid` for a credential that does not exist; it cannot go while this transaction is open."""
    if credential_id is None:
        return
    found = await uow.session.scalar(
        select(CredentialRow.id)
        .where(
            CredentialRow.id == credential_id,
            CredentialRow.project_id == who.project_id,
            CredentialRow.archived_at.is_(None),
        )
        .with_for_update(read=True, key_share=True)
    )
    if found is None:
        raise Invalid(
            "The credential does not exist.",
            problems=[FieldProblem("credential_id", f"there is no credential {credential_id}")],
        )


async def _flush(uow: UnitOfWork, name: str) -> None:
    try:
        await uow.session.flush()
    except IntegrityError as error:
        raise NameTaken(f"There is already a target named {name}.") from error
