"""The audit row of a mutation, written in the same transaction."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert

from contracts.tables.audit import AuditRow
from gateway.deps import Actor
from infra.unit_of_work import UnitOfWork


async def audit(
    uow: UnitOfWork,
    who: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID | None,
    **detail: Any,
) -> None:
    """Record that `who` did `action` (`targets.create`). `detail` never holds a secret or a script."""
    await uow.session.execute(
        insert(AuditRow).values(
            principal=who.principal,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            project_id=who.project_id,
            request_id=who.request_id,
            detail=detail,
        )
    )
