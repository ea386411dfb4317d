"""`opsconductor targets import`: machines from the lists of other tools."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import served
from cli.client.names import credential_names
from cli.client.problems import CliError
from cli.client.texts import file_text, piped_text
from cli.kinds.applying import carry_out
from cli.kinds.documents import refuse
from cli.kinds.inventories import Defaults, read_inventory
from cli.kinds.planning import Change, Wish, plan
from cli.output import Column, Out

COLUMNS = (
    Column("TARGET", "name"),
    Column("RESULT", "result"),
    Column("OS", lambda row: row["spec"]["os"]),
    Column("HOSTNAME", lambda row: row["spec"]["hostname"]),
    Column("CREDENTIAL", lambda row: row["spec"].get("credential")),
    Column("TAGS", lambda row: ", ".join(row["spec"].get("tags", {}))),
)


@served
async def import_targets(
    api: Api,
    out: Out,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, YAML or inventory JSON; - is stdin.")],
    *,
    credential: Annotated[
        str | None, typer.Option("--credential", help="Where none is named.", autocompletion=credential_names)
    ] = None,
    os: Annotated[str | None, typer.Option("--os", help="Where none is named: linux or windows.")] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="Where none is named.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it, no more.")] = False,
) -> None:
    """Make targets of a list of machines, or bring those that exist in line with it.

    CSV has the columns name, os, hostname, credential, pool, tags (`role=web;canary`) and settings such as
    ssh.port. YAML is a list of the same fields. JSON is what `ansible-inventory --list` prints: its groups
    become tags. When anything is wrong nothing is changed.

    Examples:

      opsconductor targets import machines.csv --dry-run

      ansible-inventory --list | opsconductor targets import - --credential deploy --os linux
    """
    text = piped_text() if file == "-" else file_text(Path(file))
    reading = read_inventory("<stdin>" if file == "-" else file, text, Defaults(os, credential, pool))
    refuse(reading.faults)
    if not reading.documents:
        raise CliError(f"There is no machine in {file}.")
    made = await plan(api, reading.documents, Wish())
    refuse(made.faults)
    if not dry_run:
        await carry_out(api, made, Wish(), lambda _change: None)
    out.items([_row(change) for change in made.changes], COLUMNS, empty="No machines.")
    if dry_run:
        render.remark("Nothing was changed: this was a dry run.")


def _row(change: Change) -> dict[str, Any]:
    assert change.after is not None  # noqa: S101  (an import deletes nothing)
    return {"name": change.name, "result": change.action, "spec": change.after["spec"]}
