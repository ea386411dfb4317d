"""Asking for connection tests. No HTTP in here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from contracts.errors import FieldProblem, Invalid
from contracts.tables.targets import TargetOs, TargetRow
from contracts.tables.testing import ConnectionTestRow
from contracts.targets.messages import TestConnection
from contracts.targets.testing import ConnectionTestStatus, Transport
from gateway.auditing import audit
from gateway.deps import Actor
from gateway.idempotency import RequestKey, claim_key
from gateway.targets.queries import TargetFilter, get_target, list_targets
from gateway.targets.service import require_credential
from gateway.targets.testing.queries import TestFilter, get_test, list_tests
from gateway.targets.testing.schemas import TARGETS_AT_ONCE, BulkTestRequest, ConnectionTestRequest
from infra.ids import uuid7
from infra.unit_of_work import UnitOfWork, new_meta

BY_SYSTEM: dict[TargetOs, Transport] = {TargetOs.WINDOWS: "winrm", TargetOs.LINUX: "ssh"}


async def request_test(
    uow: UnitOfWork,
    who: Actor,
    target_id: UUID,
    body: ConnectionTestRequest,
    *,
    even_if_held: bool,
    key: RequestKey | None,
    only: Transport | None = None,
) -> ConnectionTestRow:
    """Order a test of one target; `only` refuses, with `Invalid`, a target reached in another way."""
    test_id = uuid7()
    if first := await claim_key(uow.session, key, test_id, status=202):
        return await get_test(uow.session, who.project_id, first)
    target = await get_target(uow.session, who.project_id, target_id)
    transport = body.transport or BY_SYSTEM[TargetOs(target.os)]
    if only is not None and transport != only:
        raise Invalid(
            f"{target.name} is not reached over {only}: its system is {target.os}. "
            f"POST /api/v1/targets/{target.id}/test tests whatever a target speaks.",
            problems=[FieldProblem("target_id", f"not a target for {only}")],
        )
    await require_credential(uow, who, body.credential_id)
    row = _row(who, target, body, transport, test_id=test_id, even_if_held=even_if_held)
    await _order(uow, who, [row])
    return row


async def request_tests(
    uow: UnitOfWork, who: Actor, body: BulkTestRequest, *, key: RequestKey | None
) -> tuple[UUID, Sequence[ConnectionTestRow]]:
    """Order a test of each target; raises `Invalid` naming ids that are no targets, or too wide a query."""
    batch_id = uuid7()
    if first := await claim_key(uow.session, key, batch_id, status=202):
        wanted = TestFilter(batch_id=first)
        return first, await list_tests(uow.session, who.project_id, wanted, after=None, limit=TARGETS_AT_ONCE)
    targets = await _chosen(uow, who, body)
    rows = [
        _row(
            who,
            target,
            ConnectionTestRequest(),
            BY_SYSTEM[TargetOs(target.os)],
            test_id=uuid7(),
            batch_id=batch_id,
        )
        for target in targets
    ]
    await _order(uow, who, rows)
    return batch_id, rows


async def _chosen(uow: UnitOfWork, who: Actor, body: BulkTestRequest) -> Sequence[TargetRow]:
    if body.ids is not None:
        rows = (
            await uow.session.scalars(
                select(TargetRow).where(
                    TargetRow.id.in_(body.ids),
                    TargetRow.project_id == who.project_id,
                    TargetRow.archived_at.is_(None),
                )
            )
        ).all()
        found = {row.id for row in rows}
        missing = [
            FieldProblem(f"ids.{place}", f"there is no target {target_id}")
            for place, target_id in enumerate(body.ids)
            if target_id not in found
        ]
        if missing:
            raise Invalid("Some targets do not exist; nothing was tested.", problems=missing)
        return rows
    if body.query is None:
        raise Invalid("Say which targets to test.", problems=[FieldProblem("ids", "give ids or a query")])
    asked = body.query
    wanted = TargetFilter(os=asked.os, tag=asked.tags, name=asked.name, pool=asked.pool)
    rows = await list_targets(uow.session, who.project_id, wanted, limit=TARGETS_AT_ONCE)
    if not rows or len(rows) > TARGETS_AT_ONCE:
        reason = "fits no target" if not rows else f"fits more than {TARGETS_AT_ONCE} targets; narrow it"
        raise Invalid("Nothing was tested.", problems=[FieldProblem("query", reason)])
    return rows


def _row(
    who: Actor,
    target: TargetRow,
    body: ConnectionTestRequest,
    transport: Transport,
    *,
    test_id: UUID,
    batch_id: UUID | None = None,
    even_if_held: bool = False,
) -> ConnectionTestRow:
    given: dict[str, Any] = body.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    reach = {name: given.get(name, getattr(target, name)) for name in ("hostname", "winrm", "ssh")}
    chosen = body.credential_id if "credential_id" in body.model_fields_set else target.credential_id
    return ConnectionTestRow(
        id=test_id,
        project_id=who.project_id,
        target_id=target.id,
        target_version=target.version,
        batch_id=batch_id,
        pool=target.pool,
        transport=transport,
        reach={"name": target.name, "os": target.os, **reach},
        credential_id=chosen,
        unsaved=body.changes(),
        even_if_held=even_if_held,
        status=ConnectionTestStatus.REQUESTED.value,
        requested_by=who.principal,
        correlation_id=test_id,
    )


async def _order(uow: UnitOfWork, who: Actor, rows: Sequence[ConnectionTestRow]) -> None:
    uow.session.add_all(rows)
    await uow.session.flush()
    for row in rows:
        await uow.session.refresh(row, ["requested_at"])
        uow.emit(
            TestConnection(test_id=row.id, pool=row.pool),
            new_meta(principal=who.principal, correlation_id=row.correlation_id),
        )
        detail = {"test_id": str(row.id), "name": row.reach["name"], "unsaved": row.unsaved}
        if row.unsaved:
            detail["hostname"] = row.reach["hostname"]
        if row.even_if_held:
            detail["even_if_held"] = True
        await audit(uow, who, "targets.test", "target", row.target_id, **detail)
