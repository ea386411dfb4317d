"""`get`, `create`, `delete`: one object at a time, as a document."""

from typing import Annotated, Any

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import All, Limit, served
from cli.client.finding import find_named
from cli.client.problems import CliError
from cli.commands import credentials, jobs, targets
from cli.commands.documents import Secrets, Yes, confirm_deletion
from cli.commands.exporting import exported_documents
from cli.kinds.applying import carry_out
from cli.kinds.documents import refuse
from cli.kinds.planning import Change, Wish, plan
from cli.kinds.reading import read_documents
from cli.kinds.registry import kind_of
from cli.kinds.secrets import given_secrets, split_by_credential
from cli.output import Out, Output

get = typer.Typer(add_completion=False)
create = typer.Typer(add_completion=False)
delete = typer.Typer(add_completion=False)

KindWord = Annotated[str, typer.Argument(metavar="KIND", help="job, target or credential.")]
FORCIBLE = ("Credential", "Target")
"""Kinds that stay while others need them, unless they are made to go."""
_COLUMNS = {"Job": jobs.COLUMNS, "Target": targets.COLUMNS, "Credential": credentials.COLUMNS}


@get.command("get")
@served
async def get_objects(
    api: Api,
    out: Out,
    kind: KindWord,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…")] = None,
    *,
    limit: Limit = 100,
    every: All = False,
) -> None:
    """List what there is, or show documents: `-o yaml` gives what `apply` takes.

    Examples:

      opsconductor get targets

      opsconductor get job "Restart service" -o yaml
    """
    meant = kind_of(kind)
    if not names and out.form is not Output.YAML:
        items = await api.pages(f"/api/v1/{meant.plural}", at_most=None if every else limit)
        return out.items(items, _COLUMNS[meant.name], empty=f"No {meant.plural}.")
    documents = await exported_documents(api, {meant.name}, set(names or []))
    if out.form in {Output.TABLE, Output.WIDE, Output.YAML} and out.query is None:
        return render.raw("---\n".join(one.text for one in documents))
    return out.data([one.document for one in documents])


@create.command("create")
@served
async def create_objects(
    api: Api,
    out: Out,
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="credential, without a file.")] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    *,
    file: Annotated[list[str] | None, typer.Option("--file", "-f", metavar="FILE")] = None,
    secret: Secrets = None,
    type: Annotated[str, typer.Option("--type", help="Of a credential.")] = "ssh",
    username: Annotated[str, typer.Option("--username", "-u", help="Of a credential.")] = "",
) -> None:
    """Make what documents describe; refused when any of it is there already.

    Examples:

      opsconductor create -f job.yaml

      opsconductor create credential web --type ssh -u root --secret private_key=@id_ed25519
    """
    if file:
        return await _create_from(api, out, file, secret or [])
    if kind is None or name is None:
        raise CliError("Say what to make: -f FILE, or `create credential NAME`.")
    if kind_of(kind).name != "Credential":
        raise CliError(f"A {kind} is made from a document.", hints=(f"opsconductor create -f {kind}.yaml",))
    body = {"name": name, "type": type, "username": username, **given_secrets(secret or [], of=name)}
    made = await api.post("/api/v1/credentials", body, once=True)
    return out.one(made, lambda: render.say(f"credential {name} created"))


async def _create_from(api: Api, out: Out, files: list[str], secrets: list[str]) -> None:
    reading = read_documents(files)
    refuse(reading.faults)
    wish = Wish(secrets=split_by_credential(secrets))
    made = await plan(api, reading.documents, wish)
    there = [c.document.origin.fault("metadata.name", f"{c.name} exists already: apply or edit it")
             for c in made.changes if c.document is not None and c.action != "created"]  # fmt: skip
    refuse(made.faults + there)
    await carry_out(api, made, wish, told)
    if not out.for_people:
        out.data([{"kind": c.kind.name, "name": c.name, "result": c.action} for c in made.changes])


def told(change: Change) -> None:
    render.remark(f"{change.kind.name.lower()} {change.name} {change.action}", style="")


@delete.command("delete")
@served
async def delete_objects(
    api: Api,
    out: Out,
    kind: KindWord,
    names: Annotated[list[str], typer.Argument(metavar="NAME…")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="A credential or a target also while others need it.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Take objects out of use; past runs keep telling of them.

    Example: opsconductor delete target web-1 web-2
    """
    meant = kind_of(kind)
    found: list[dict[str, Any]] = [await find_named(api, meant.plural, name) for name in names]
    if not yes:
        listed = ", ".join(one["name"] for one in found)
        confirm_deletion(f"Delete the {meant.plural} {listed}?" if len(found) > 1 else f"Delete {listed}?")
    for one in found:
        params = {"force": "true"} if force and meant.name in FORCIBLE else {}
        path = f"/api/v1/{meant.plural}/{one['id']}"
        await api.delete(path, if_match=(await api.tagged(path))[1], **params)
        if out.for_people:
            render.say(f"{meant.name.lower()} {one['name']} deleted")
    if not out.for_people:
        out.data([{"kind": meant.name, "name": one["name"], "result": "deleted"} for one in found])
