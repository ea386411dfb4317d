"""Signing in and out, and the users themselves. No HTTP in here."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from contracts.access.roles import Role
from contracts.errors import FieldProblem, Invalid, NameTaken, Unauthenticated, UnsafeSettings
from contracts.tables.access import UserRow
from contracts.tables.base import DEFAULT_PROJECT_ID, SYSTEM_PRINCIPAL
from gateway.access.schemas import PasswordChange, UserCreate
from gateway.access.sessions import open_session, redeem, revoke_all, revoke_family
from gateway.auditing import audit
from gateway.deps import Actor, GatewayDeps
from gateway.idempotency import RequestKey, claim_key
from gateway.principals import Principal, principal_id
from infra import tokens
from infra.clock import now
from infra.ids import uuid7
from infra.passwords import Passwords, require_strong, weakness
from infra.unit_of_work import OpenUnitOfWork, UnitOfWork

CHANGING = "password-change"
"""In place of an address: guesses at the password one already signed in with."""
_FIRST_ADMIN_LOCK = 0x6F70735F61646D


@dataclass(frozen=True, slots=True)
class SignedIn:
    access_token: str
    refresh_token: str
    must_change_password: bool


async def sign_in(
    deps: GatewayDeps, *, username: str, password: str, address: str, request_id: UUID
) -> SignedIn:
    """Tokens for this user; raises `Unauthenticated` alike for a wrong name and a wrong password."""
    deps.login_limiter.check(address, username)
    async with deps.sessions() as session:
        user = await session.scalar(select(UserRow).where(func.lower(UserRow.username) == username.lower()))
    fits = await deps.passwords.verify(password, user.password_hash if user else None)
    if user is None or not fits or not user.active:
        deps.login_limiter.failed(address, username)
        await _audit_refusal(deps, user, address, request_id)
        raise Unauthenticated("The user name or the password is wrong.")
    deps.login_limiter.succeeded(address, username)
    async with deps.open_uow() as uow:
        refresh = open_session(uow.session, user.id, now=now())
        who = Actor(principal_id(user.id), DEFAULT_PROJECT_ID, request_id)
        await audit(uow, who, "access.login", "user", user.id, address=address)
    return _signed_in(deps, user, refresh)


async def _audit_refusal(deps: GatewayDeps, user: UserRow | None, address: str, request_id: UUID) -> None:
    """The typed name is not recorded: people type their password there."""
    async with deps.open_uow() as uow:
        who = Actor("anonymous", DEFAULT_PROJECT_ID, request_id)
        await audit(uow, who, "access.login_refused", "user", user.id if user else None, address=address)


def _signed_in(deps: GatewayDeps, user: UserRow, refresh_token: str) -> SignedIn:
    access = tokens.issue(
        deps.jwt_keys,
        user_id=user.id,
        name=user.username,
        role=Role(user.role),
        token_version=user.token_version,
        now=now(),
        must_change_password=user.must_change_password,
    )
    return SignedIn(access, refresh_token, user.must_change_password)


async def refresh(deps: GatewayDeps, refresh_token: str, *, request_id: UUID) -> SignedIn:
    """Fresh tokens for a refresh token; its re-use ends every session that grew out of the same sign-in."""
    async with deps.open_uow() as uow:
        redeemed = await redeem(uow.session, refresh_token, now=now())
        user = await uow.session.get(UserRow, redeemed.user_id) if redeemed.user_id else None
        fresh = None
        if redeemed.reused and user is not None:
            who = Actor(principal_id(user.id), DEFAULT_PROJECT_ID, request_id)
            await audit(uow, who, "access.refresh_reused", "user", user.id)
        elif user is not None and user.active:
            fresh = open_session(uow.session, user.id, now=now(), family_id=redeemed.family_id)
    if user is None or fresh is None:
        raise Unauthenticated("The refresh token is used up or was revoked; sign in again.")
    return _signed_in(deps, user, fresh)


async def end_session(uow: UnitOfWork, who: Actor, user_id: UUID, refresh_token: str) -> None:
    """Make this refresh token and all that grew out of the same sign-in worthless."""
    if await revoke_family(uow.session, user_id, refresh_token, now=now()):
        await audit(uow, who, "access.logout", "user", user_id)


async def end_all_sessions(uow: UnitOfWork, who: Actor, user_id: UUID) -> None:
    """Make every token of this user worthless, everywhere, within a second."""
    await uow.session.execute(
        update(UserRow)
        .where(UserRow.id == user_id)
        .values(token_version=UserRow.token_version + 1, updated_at=func.now())
    )
    await revoke_all(uow.session, user_id, now=now())
    await audit(uow, who, "access.revoke_all", "user", user_id)


async def change_password(deps: GatewayDeps, caller: Principal, who: Actor, body: PasswordChange) -> SignedIn:
    """A new password ends every session but the one that is answered with new tokens."""
    current, new = body.current_password.get_secret_value(), body.new_password.get_secret_value()
    require_strong(new, username=caller.name, field="new_password")
    deps.login_limiter.check(CHANGING, caller.name)
    async with deps.sessions() as session:
        user = await session.get_one(UserRow, caller.user_id)
    if not await deps.passwords.verify(current, user.password_hash):
        deps.login_limiter.failed(CHANGING, caller.name)
        raise Invalid(
            "The current password is wrong.", problems=[FieldProblem("current_password", "is wrong")]
        )
    hashed = await deps.passwords.hash(new)
    async with deps.open_uow() as uow:
        user = await uow.session.get_one(UserRow, caller.user_id, with_for_update=True)
        user.password_hash, user.must_change_password = hashed, False
        user.token_version, user.updated_at = user.token_version + 1, now()
        await revoke_all(uow.session, user.id, now=now())
        token = open_session(uow.session, user.id, now=now())
        await audit(uow, who, "access.change_password", "user", user.id)
    deps.principals.forget(caller.user_id)
    return _signed_in(deps, user, token)


async def create_user(
    uow: UnitOfWork, who: Actor, body: UserCreate, *, password_hash: str, key: RequestKey | None
) -> UserRow:
    """A new user; raises `NameTaken`. Names differ in more than case."""
    user_id = uuid7()
    if first := await claim_key(uow.session, key, user_id):
        return await uow.session.get_one(UserRow, first)
    user = UserRow(
        id=user_id,
        username=body.username,
        password_hash=password_hash,
        role=body.role.value,
        must_change_password=body.must_change_password,
    )
    uow.session.add(user)
    try:
        await uow.session.flush()
    except IntegrityError as error:
        raise NameTaken(f"There is already a user named {body.username}.") from error
    await audit(uow, who, "users.create", "user", user.id, username=body.username, role=body.role.value)
    return user


async def ensure_first_admin(
    open_uow: OpenUnitOfWork,
    passwords: Passwords,
    *,
    password: str,
    username: str = "admin",
    must_change: bool = True,
) -> bool:
    """Create the first administrator when there is no user at all; whether one was created.

    Raises `UnsafeSettings` for a weak password. Without a password nothing is created.
    """
    if not password:
        return False
    async with open_uow() as uow:
        await uow.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_ADMIN_LOCK})
        if await uow.session.scalar(select(UserRow.id).limit(1)):
            return False
        if reason := weakness(password, username=username):
            raise UnsafeSettings(f"OPS_BOOTSTRAP_ADMIN_PASSWORD {reason}.")
        user = UserRow(
            id=uuid7(),
            username=username,
            password_hash=await passwords.hash(password),
            role=Role.ADMIN.value,
            must_change_password=must_change,
        )
        uow.session.add(user)
        await uow.session.flush()
        who = Actor(SYSTEM_PRINCIPAL, DEFAULT_PROJECT_ID, uuid7())
        await audit(uow, who, "users.create", "user", user.id, username=username, role=Role.ADMIN.value)
    return True
