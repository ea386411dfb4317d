"""Whoever is signed in, about themselves."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

from fastapi import APIRouter

from contracts.access.roles import GRANTS, Permission
from contracts.errors import FieldProblem, Invalid
from contracts.tables.access import UserRow
from gateway.access.schemas import MeChange, MeView
from gateway.auditing import audit
from gateway.deps import Caller, Reading, Who, Writing
from gateway.permissions import OpsRoute, needs
from gateway.principals import Principal
from infra.clock import now

router = APIRouter(prefix="/api/v1/me", tags=["access"], route_class=OpsRoute)


@router.get("")
@needs(Permission.AUTHENTICATED, before_password_change=True)
async def get_me(caller: Caller, session: Reading) -> MeView:
    """Who is signed in, and what they may do."""
    return _view(caller, await session.get_one(UserRow, caller.user_id))


@router.patch("")
@needs(Permission.AUTHENTICATED)
async def change_me(body: MeChange, caller: Caller, who: Who, uow: Writing) -> MeView:
    """Change one's own name and time zone."""
    if body.time_zone is not None and body.time_zone not in available_timezones():
        raise Invalid(
            "The time zone does not exist.",
            problems=[FieldProblem("time_zone", "must be an IANA name such as Europe/Vienna")],
        )
    row = await uow.session.get_one(UserRow, caller.user_id, with_for_update=True)
    for field in body.model_fields_set:
        setattr(row, field, getattr(body, field))
    row.updated_at = now()
    await audit(uow, who, "users.change_own", "user", row.id, fields=sorted(body.model_fields_set))
    return _view(caller, row)


def _view(caller: Principal, row: UserRow) -> MeView:
    return MeView(
        id=row.id,
        username=row.username,
        name=row.name,
        role=caller.role,
        permissions=sorted(GRANTS[caller.role]),
        must_change_password=caller.must_change_password or row.must_change_password,
        time_zone=row.time_zone,
        project_id=caller.project_id,
        expires_at=datetime.fromtimestamp(caller.expires_at, UTC),
        created_at=row.created_at,
    )
