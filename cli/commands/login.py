"""`opsconductor login`, `logout` and `password`."""

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

import typer

from cli import render
from cli.client import keyrings
from cli.client.api import Api
from cli.client.command import ContextOption, UrlOption, run
from cli.client.contexts import Context, Contexts, session_of
from cli.client.problems import CliError, NotSignedIn
from cli.client.texts import piped_line
from cli.client.tokens import StoredTokens
from cli.client.trust import absolute

app = typer.Typer(add_completion=False)
logout = typer.Typer(add_completion=False)
password = typer.Typer(add_completion=False)


class Store(StrEnum):
    AUTO = "auto"
    KEYRING = "keyring"
    FILE = "file"


PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.command()
def login(
    *,
    url: UrlOption = None,
    context: Annotated[
        str | None, typer.Option("--context", help="A name for the server; its host and port when left out.")
    ] = None,
    username: Annotated[str, typer.Option("--username", "-u")] = "admin",
    password_stdin: PasswordStdin = False,
    store: Annotated[
        Store,
        typer.Option("--store", help="Where the session is kept: the system's keyring if there is one."),
    ] = Store.AUTO,
    ca_file: Annotated[
        str | None,
        typer.Option(
            "--ca-file",
            metavar="FILE",
            help="Trust its certificate by this one (PEM), kept with the session; or OPS_CA_FILE.",
        ),
    ] = None,
) -> None:
    """Sign in; the session is kept where only you can read it, and renewed silently.

    Example: opsconductor login --url https://ops.example.org:8443 --context prod -u ada
    """
    run(_login(_Server(url, context, store, ca_file), username, password_stdin=password_stdin))


@dataclass(frozen=True, slots=True)
class _Server:
    """Where to sign in, as it was said."""

    url: str | None
    name: str | None
    store: Store
    ca_file: str | None

    def context(self, contexts: Contexts) -> Context:
        chosen = contexts.chosen(self.name, self.url)
        kept = Store.KEYRING if self.store is Store.AUTO and keyrings.available() else self.store
        trusted = absolute(self.ca_file) if self.ca_file else chosen.ca_file
        return replace(chosen, store="keyring" if kept is Store.KEYRING else "file", ca_file=trusted)


async def _login(server: _Server, username: str, *, password_stdin: bool) -> None:
    contexts = Contexts()
    context = server.context(contexts)
    async with Api(context.url, None, ca_file=context.ca_file) as api:
        await api.get("/api/v1/meta")  # before a password is asked for, and sent to whoever answers there
        secret = _secret(f"Password of {username}", from_stdin=password_stdin)
        answer = await api.post("/api/login", {"username": username, "password": secret})
    contexts.put(context, session_of(username, answer))
    render.say(f"Signed in at {context.url} as {username}.")
    if answer.get("must_change_password"):
        render.remark(
            "Until you have chosen a password of your own nothing else is open: opsconductor password"
        )


def _secret(prompt: str, *, from_stdin: bool) -> str:
    if from_stdin:
        secret = piped_line()
    elif sys.stdin.isatty():
        secret = str(typer.prompt(prompt, hide_input=True))
    else:
        raise CliError("There is no terminal to ask for the password.", hints=("Use --password-stdin.",))
    if not secret:
        raise CliError("The password is empty.")
    return secret


@logout.command()
def sign_out(*, url: UrlOption = None, context: ContextOption = None) -> None:
    """Forget the session on this machine, and end it at the server if that answers."""
    run(_logout(url, context))


async def _logout(url: str | None, name: str | None) -> None:
    contexts = Contexts()
    context = contexts.chosen(name, url)
    session = contexts.get(context)
    contexts.remove(context)
    if session is not None:
        with suppress(CliError):  # it may be over already, or the server away
            async with Api(context.url, None, ca_file=context.ca_file) as api:
                await api.post("/api/logout", {"refresh_token": session.refresh_token})
    render.say(f"Signed out at {context.url}.")


@password.command()
def change_password(
    *,
    url: UrlOption = None,
    context: ContextOption = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the old and the new password, one a line.")
    ] = False,
) -> None:
    """Change your password; all your other sessions end."""
    run(_change_password(url, context, from_stdin=password_stdin))


async def _change_password(url: str | None, name: str | None, *, from_stdin: bool) -> None:
    contexts = Contexts()
    context = contexts.chosen(name, url)
    session = contexts.get(context)
    if session is None:
        raise NotSignedIn(context.url, context.sign_in())
    current = _secret("Current password", from_stdin=from_stdin)
    new = (
        _secret("New password", from_stdin=True)
        if from_stdin
        else str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
    )
    async with Api(context.url, StoredTokens(context, contexts), ca_file=context.ca_file) as api:
        body = {"current_password": current, "new_password": new}
        answer = await api.post("/api/v1/users/me/password", body)
    contexts.put(context, session_of(session.username, answer))
    render.say("The password is changed.")
