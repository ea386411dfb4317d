"""`opsconductor login`, `logout` and `password`."""

import sys
from typing import Annotated

import typer

from cli import render
from cli.client.api import Api
from cli.client.context import UrlOption, run, signed_in
from cli.client.problems import CliError, NotSignedIn
from cli.client.sessions import SessionFile, session_of

app = typer.Typer()
logout = typer.Typer()
password = typer.Typer()

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.command()
def login(
    *,
    url: UrlOption = None,
    username: Annotated[str, typer.Option("--username", "-u")] = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Sign in; the session is kept in a file that only you can read and renewed silently."""
    run(_login(url, username, password_stdin=password_stdin))


async def _login(url: str | None, username: str, *, password_stdin: bool) -> None:
    sessions = SessionFile()
    address = sessions.address(url)
    secret = _secret(f"Password of {username}", from_stdin=password_stdin)
    async with Api(address, None) as api:
        answer = await api.post("/api/login", {"username": username, "password": secret})
    sessions.put(address, session_of(username, answer))
    render.say(f"Signed in at {address} as {username}.")
    if answer.get("must_change_password"):
        render.remark("Choose a password of your own: opsconductor password")


def _secret(prompt: str, *, from_stdin: bool) -> str:
    if from_stdin:
        secret = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        secret = str(typer.prompt(prompt, hide_input=True))
    else:
        raise CliError("There is no terminal to ask for the password.", hints=("Use --password-stdin.",))
    if not secret:
        raise CliError("The password is empty.")
    return secret


@logout.command()
def sign_out(*, url: UrlOption = None) -> None:
    """Forget the session on this machine."""
    run(_logout(url))


async def _logout(url: str | None) -> None:
    sessions = SessionFile()
    address = sessions.address(url)
    sessions.remove(address)
    render.say(f"Signed out at {address}.")


@password.command()
def change_password(*, url: UrlOption = None) -> None:
    """Change your password; all your other sessions end."""
    run(_change_password(url))


async def _change_password(url: str | None) -> None:
    sessions = SessionFile()
    address = sessions.address(url)
    session = sessions.get(address)
    if session is None:
        raise NotSignedIn(address)
    current = _secret("Current password", from_stdin=False)
    new = str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
    async with signed_in(address) as api:
        body = {"current_password": current, "new_password": new}
        answer = await api.post("/api/v1/users/me/password", body)
    sessions.put(address, session_of(session.username, answer))
    render.say("The password is changed.")
