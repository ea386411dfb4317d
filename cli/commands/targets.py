"""`opsconductor targets …`."""

from typing import Annotated, Any

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import All, Limit, served
from cli.client.finding import find_named
from cli.client.names import target_names
from cli.commands import importing
from cli.commands.testing import pin_target, reach_targets
from cli.output import Column, Out

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Look at machines, import them, test the way to them."
)
app.command("import")(importing.import_targets)
app.command("test")(reach_targets)
app.command("pin")(pin_target)

Target = Annotated[str, typer.Argument(metavar="TARGET", help="Name or id.", autocompletion=target_names)]


def address_of(target: dict[str, Any]) -> str:
    if target["os"] == "linux":
        return f"ssh://{target['hostname']}:{target['ssh']['port']}"
    winrm = target["winrm"]
    port = winrm["port"] or (5986 if winrm["scheme"] == "https" else 5985)
    return f"{winrm['scheme']}://{target['hostname']}:{port}"


def tag_words(tags: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" if value else name for name, value in tags.items())


COLUMNS = (
    Column("TARGET", "name"),
    Column("OS", "os"),
    Column("ADDRESS", address_of),
    Column("POOL", "pool"),
    Column("CREDENTIAL", "credential_name"),
    Column("TAGS", lambda target: tag_words(target["tags"])),
    Column("LAST TEST", lambda target: (target["last_test"] or {}).get("status"), wide=True),
    Column("WARNINGS", lambda target: ", ".join(w["code"] for w in target["warnings"]), wide=True),
    Column("ID", "id", wide=True),
)


@app.command("list")
@served
async def list_targets(
    api: Api,
    out: Out,
    *,
    name: Annotated[str | None, typer.Option("--name", help="Part of the name.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="`name` or `name=value`; repeatable.")
    ] = None,
    fits: Annotated[
        str | None, typer.Option("--fits", metavar="QUERY", help="As `os:linux facts.cpu_count>=4`.")
    ] = None,
    limit: Limit = 100,
    every: All = False,
) -> None:
    """Targets, the newest first.

    Example: opsconductor targets list --fits "os:windows tag:ring=1" -o name
    """
    wanted = {"name~": name, "tag": tag or None, "query": fits}
    items = await api.pages("/api/v1/targets", at_most=None if every else limit, **wanted)
    out.items(items, COLUMNS, empty="No targets. Make one: opsconductor apply -f target.yaml")


@app.command()
@served
async def show(api: Api, out: Out, target: Target) -> None:
    """One target: how it is reached, and how its last test went."""
    found = await find_named(api, "targets", target)
    out.one(found, lambda: _show(found))


def _show(target: dict[str, Any]) -> None:
    render.say(f"{target['name']}  {address_of(target)}", style="bold")
    test = target["last_test"] or {}
    rows = (
        ("Credential", target["credential_name"]),
        ("Pool", target["pool"]),
        ("Tags", tag_words(target["tags"])),
        ("Last test", f"{test['status']} {render.ago(test['at'])}" if test else None),
        ("Facts", render.ago(target["facts_at"])),
    )
    render.table(("", ""), rows, empty="", headers=False)
    for warning in target["warnings"]:
        render.remark(warning["message"], style="yellow")


@app.command()
@served
async def facts(api: Api, out: Out, target: Target) -> None:
    """What a `facts` step found out about a machine last."""
    found = await find_named(api, "targets", target)
    known = found["facts"] or {}
    if not known:
        render.remark(f"Nothing is known of {found['name']} yet: run a job with a step of type facts on it.")
    out.one(known)
