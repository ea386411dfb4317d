"""`opsconductor admin …`: what an administrator of the machine may do without signing in."""

from typing import Annotated, Any

import typer
from sqlalchemy import func, insert, select, update

from cli import render
from cli.client.problems import CliError
from cli.client.texts import piped_line
from cli.here import database, run, settings_here
from cli.up.secrets import new_password
from contracts.access.roles import Role
from contracts.tables.access import SessionRow, UserRow
from contracts.tables.audit import AuditRow
from contracts.tables.base import DEFAULT_PROJECT_ID, SYSTEM_PRINCIPAL
from infra.clock import now
from infra.database import sessions_of
from infra.ids import uuid7
from infra.passwords import Passwords, require_strong

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="For who administers this machine: works on the database.",
)

Username = Annotated[str, typer.Option("--username", "-u")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read it instead of making one up.")]


@app.callback()
def _admin() -> None:
    """For who administers this machine: works on the database."""


@app.command()
def reset_password(*, username: Username = "admin", password_stdin: FromStdin = False) -> None:
    """Give a user a new password, shown once, and end all of their sessions.

    Where there is no such user but nobody else either, the first administrator is created.
    """
    run(_reset(username, from_stdin=password_stdin))


async def _reset(username: str, *, from_stdin: bool) -> None:
    chosen = piped_line() if from_stdin else None
    if chosen is not None:
        require_strong(chosen, username=username)
    password = chosen or new_password()
    passwords = Passwords()
    try:
        hashed = await passwords.hash(password)
    finally:
        passwords.close()
    async with database(settings_here()) as engine, sessions_of(engine).begin() as session:
        user = await session.scalar(
            select(UserRow).where(func.lower(UserRow.username) == username.lower()).with_for_update()
        )
        action = "access.reset_password"
        if user is None:
            await _require_nobody(session, username)
            user, action = _first_administrator(username, hashed), "users.create"
            session.add(user)
            await session.flush()
        else:
            user.password_hash, user.must_change_password, user.active = hashed, True, True
            user.token_version, user.updated_at = user.token_version + 1, now()
            await session.execute(
                update(SessionRow)
                .where(SessionRow.user_id == user.id, SessionRow.revoked_at.is_(None))
                .values(revoked_at=now())
            )
        await _audit(session, action, user)
    render.say(f"User      {username}")
    if chosen is None:
        render.say(f"Password  {password}  (shown this once; change it after signing in)")
    else:
        render.say("The password is set.")


async def _require_nobody(session: Any, username: str) -> None:
    names = list(await session.scalars(select(UserRow.username).order_by(UserRow.created_at).limit(10)))
    if names:
        raise CliError(f"There is no user {username!r}.", hints=(f"There are: {', '.join(names)}",))


def _first_administrator(username: str, password_hash: str) -> UserRow:
    return UserRow(
        id=uuid7(),
        username=username,
        password_hash=password_hash,
        role=Role.ADMIN.value,
        must_change_password=True,
    )


async def _audit(session: Any, action: str, user: UserRow) -> None:
    await session.execute(
        insert(AuditRow).values(
            principal=SYSTEM_PRINCIPAL,
            action=action,
            subject_kind="user",
            subject_id=user.id,
            project_id=DEFAULT_PROJECT_ID,
            request_id=uuid7(),
            detail={"username": user.username, "by": "opsconductor admin"},
        )
    )
