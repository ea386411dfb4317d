"""`opsconductor credentials …`."""

from typing import Annotated

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import All, Limit, served
from cli.client.finding import find_named
from cli.client.names import credential_names, target_names
from cli.client.problems import CliError
from cli.kinds.secrets import given_secrets
from cli.output import Column, Out

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Look at credentials, give them new secrets, try them again.",
)

Credential = Annotated[
    str, typer.Argument(metavar="CREDENTIAL", help="Name or id.", autocompletion=credential_names)
]
SecretOption = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="FIELD=SOURCE", help="SOURCE is @FILE, env:NAME or prompt; repeatable."),
]
COLUMNS = (
    Column("CREDENTIAL", "name"),
    Column("TYPE", "type"),
    Column("USER", "username"),
    Column("VERSION", "version"),
    Column("TARGETS", lambda credential: credential["used_by"]["targets"]),
    Column("ON HOLD", lambda credential: credential["held_reason"] or len(credential["holds"]) or None),
    Column("CHANGED", lambda credential: render.ago(credential["updated_at"]), wide=True),
    Column("ID", "id", wide=True),
)


@app.command("list")
@served
async def list_credentials(api: Api, out: Out, *, limit: Limit = 100, every: All = False) -> None:
    """What anyone may know of credentials; nobody can read their secrets."""
    items = await api.pages("/api/v1/credentials", at_most=None if every else limit)
    out.items(items, COLUMNS, empty="No credentials. Make one: opsconductor create credential NAME")


@app.command()
@served
async def rotate(api: Api, out: Out, credential: Credential, *, secret: SecretOption = None) -> None:
    """Give it new secrets; what was on hold because of the old ones is tried again.

    Example: opsconductor credentials rotate web-admin --secret password=env:NEW_PASSWORD
    """
    if not secret:
        raise CliError("Say which secret is new.", hints=("For example --secret password=prompt",))
    found = await find_named(api, "credentials", credential)
    body = given_secrets(secret, of=found["name"])
    changed = await api.post(f"/api/v1/credentials/{found['id']}/rotate", body)
    out.one(changed, lambda: render.say(f"{changed['name']} is at version {changed['version']}."))


@app.command()
@served
async def release(
    api: Api,
    out: Out,
    credential: Credential,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why it will work now; it is kept.")],
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Only there.", autocompletion=target_names)
    ] = None,
) -> None:
    """Let a credential on hold be tried again as it is: where it was rejected, accounts may lock."""
    found = await find_named(api, "credentials", credential)
    body = {"reason": reason}
    if target:
        body["target_id"] = (await find_named(api, "targets", target))["id"]
    changed = await api.post(f"/api/v1/credentials/{found['id']}/release", body)
    out.one(changed, lambda: render.say(f"{changed['name']} will be tried again."))
