"""Connection tests: asking for them and reading what they found."""

import asyncio
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from contracts.access.roles import Permission, allows
from contracts.errors import Forbidden
from contracts.tables.testing import ConnectionTestRow
from contracts.targets.specs import SshSettings, WinrmSettings
from contracts.targets.testing import (
    ENDED,
    TIME_LIMIT_SECONDS,
    ConnectionTestStatus,
    Presented,
    StageError,
    StageReport,
    Transport,
)
from gateway.deps import Caller, Deps, GatewayDeps, Key, Reading, Who
from gateway.paging import Cursor, Limit, Page, encode_cursor, page, uuid_cursor
from gateway.permissions import OpsRoute, needs
from gateway.principals import Principal
from gateway.targets.testing import queries, service
from gateway.targets.testing.queries import TestFilter
from gateway.targets.testing.schemas import (
    BulkTestAccepted,
    BulkTestItem,
    BulkTestRequest,
    ConnectionTestRequest,
    ConnectionTestView,
)

router = APIRouter(prefix="/api/v1", tags=["targets"], route_class=OpsRoute)

Wait = Annotated[
    float,
    Query(ge=0, le=30, description="Seconds to wait for the result; 202 when it is not there by then."),
]
EvenIfHeld = Annotated[bool, Query(description="Try a credential although it is on hold; releases nothing.")]
LOOK_SECONDS = 0.15


@router.post("/targets/test", status_code=202)
@needs(Permission.TARGETS_TEST)
async def request_connection_tests(body: BulkTestRequest, deps: Deps, who: Who, key: Key) -> BulkTestAccepted:
    """Test many targets at once, by id or by query."""
    async with deps.open_uow() as uow:
        batch_id, rows = await service.request_tests(uow, who, body, key=key)
    return BulkTestAccepted(batch_id=batch_id, items=[_item(row) for row in rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A test that is asked for: of which target, by whom, with what changed, and how long it may take."""

    target_id: UUID
    body: ConnectionTestRequest | None = None
    deps: Deps
    caller: Caller
    who: Who
    key: Key
    response: Response
    wait: Wait = 0
    even_if_held: EvenIfHeld = False


@router.post("/targets/{target_id}/test", status_code=202)
@needs(Permission.TARGETS_TEST)
async def request_connection_test(asked: Annotated[Asked, Depends()]) -> ConnectionTestView:
    """Find out whether and how far a target can be reached, whatever it speaks.

    A body tests a change that is not stored; that needs the permission to change targets.
    """
    return await _tested(asked)


@router.post("/targets/{target_id}/test-winrm", status_code=202)
@needs(Permission.TARGETS_TEST)
async def request_winrm_test(asked: Annotated[Asked, Depends()]) -> ConnectionTestView:
    """The same for a Windows target; refused for others."""
    return await _tested(asked, only="winrm")


@router.get("/connection-tests")
@needs(Permission.TARGETS_READ)
async def list_connection_tests(
    *,
    session: Reading,
    caller: Caller,
    target_id: UUID | None = None,
    batch_id: UUID | None = None,
    status: ConnectionTestStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ConnectionTestView]:
    wanted = TestFilter(target_id=target_id, batch_id=batch_id, status=status)
    rows = await queries.list_tests(
        session, caller.project_id, wanted, after=uuid_cursor(cursor), limit=limit
    )
    served = await queries.served_pools(session)
    return page(rows, limit, lambda row: _view(row, served), lambda row: encode_cursor(row.id))


@router.get("/connection-tests/{test_id}")
@needs(Permission.TARGETS_READ)
async def get_connection_test(
    test_id: UUID, deps: Deps, caller: Caller, wait: Wait = 0
) -> ConnectionTestView:
    return await _when_ended(deps, caller, test_id, wait)


def _allowed(caller: Principal, body: ConnectionTestRequest | None) -> ConnectionTestRequest:
    """Who may only test must not aim a stored credential at a host of their choice."""
    if body is not None and body.changes() and not allows(caller.role, Permission.TARGETS_WRITE):
        raise Forbidden(
            f"Testing other settings than the stored ones needs the permission "
            f"{Permission.TARGETS_WRITE.value}, which a {caller.role} does not have."
        )
    return body or ConnectionTestRequest()


async def _tested(asked: Asked, only: Transport | None = None) -> ConnectionTestView:
    body = _allowed(asked.caller, asked.body)
    async with asked.deps.open_uow() as uow:
        row = await service.request_test(
            uow, asked.who, asked.target_id, body, even_if_held=asked.even_if_held, key=asked.key, only=only
        )
    view = await _when_ended(asked.deps, asked.caller, row.id, asked.wait)
    asked.response.headers["location"] = f"{router.prefix}/connection-tests/{view.id}"
    if view.status in ENDED:
        asked.response.status_code = 200
    return view


async def _when_ended(deps: GatewayDeps, caller: Principal, test_id: UUID, wait: float) -> ConnectionTestView:
    """The test once it has ended, or as it is after `wait` seconds; no connection is held meanwhile."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(wait, TIME_LIMIT_SECONDS + 5)
    while True:
        async with deps.sessions() as session:
            row = await queries.get_test(session, caller.project_id, test_id)
            if ConnectionTestStatus(row.status) in ENDED or loop.time() >= deadline:
                return _view(row, await queries.served_pools(session))
        await asyncio.sleep(LOOK_SECONDS)


def _item(row: ConnectionTestRow) -> BulkTestItem:
    return BulkTestItem(
        id=row.id,
        target_id=row.target_id,
        target=row.reach["name"],
        status=ConnectionTestStatus(row.status),
    )


def _port(row: ConnectionTestRow) -> int:
    if row.transport == "winrm":
        return WinrmSettings.model_validate(row.reach["winrm"]).effective_port
    return SshSettings.model_validate(row.reach["ssh"]).port


def _waiting_for(row: ConnectionTestRow, served: frozenset[str]) -> str | None:
    if row.status != ConnectionTestStatus.REQUESTED:
        return None
    if row.parked_by is not None:
        return "a dead letter about it: replay or discard it"
    if row.pool not in served:
        return f"an executor that serves pool {row.pool}: none is running"
    return "an executor with room for another test"


def _view(row: ConnectionTestRow, served: frozenset[str]) -> ConnectionTestView:
    transport: Transport = "winrm" if row.transport == "winrm" else "ssh"
    return ConnectionTestView(
        id=row.id,
        target_id=row.target_id,
        target=row.reach["name"],
        target_version=row.target_version,
        transport=transport,
        hostname=row.reach["hostname"],
        port=_port(row),
        credential_id=row.credential_id,
        unsaved=row.unsaved,
        batch_id=row.batch_id,
        status=ConnectionTestStatus(row.status),
        waiting_for=_waiting_for(row, served),
        stages=[StageReport.model_validate(stage) for stage in row.stages or ()],
        presented=Presented.model_validate(row.presented or {}),
        error=None if row.error is None else StageError.model_validate(row.error),
        parked_by=row.parked_by,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
