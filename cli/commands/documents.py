"""`apply` and `diff`: making the server hold what documents say."""

from typing import Annotated

import typer

from cli import exits, render
from cli.client.api import Api
from cli.client.command import served
from cli.client.problems import CliError
from cli.kinds.applying import carry_out
from cli.kinds.diffing import difference
from cli.kinds.documents import refuse
from cli.kinds.planning import Change, Plan, Wish, plan
from cli.kinds.reading import read_documents
from cli.kinds.secrets import split_by_credential
from cli.output import Column, Out

apply = typer.Typer(add_completion=False)
diff = typer.Typer(add_completion=False)

Files = Annotated[
    list[str], typer.Option("--file", "-f", metavar="FILE", help="A file, a folder, or - ; repeatable.")
]
Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="CREDENTIAL.FIELD=SOURCE",
        help="Of a new credential; SOURCE is @FILE, env:NAME or prompt; repeatable.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option("--source", help="Whose these documents are, as git/ops: noted on each object."),
]
Prune = Annotated[
    bool, typer.Option("--prune", help="Delete what carries this --source and is not in the files.")
]
TakeOver = Annotated[bool, typer.Option("--take-over", help="Also what belongs to another source.")]
Rotate = Annotated[
    bool, typer.Option("--rotate-secrets", help="Send the secrets of credentials that exist as well.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")]
COLUMNS = (
    Column("KIND", "kind"),
    Column("NAME", "name"),
    Column("RESULT", "result"),
)


@apply.command("apply")
@served
async def apply_documents(
    api: Api,
    out: Out,
    *,
    file: Files,
    secret: Secrets = None,
    source: Source = None,
    prune: Prune = False,
    take_over: TakeOver = False,
    rotate_secrets: Rotate = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    yes: Yes = False,
) -> int:
    """Make the server hold what documents say. A second time nothing changes.

    All of them are checked first; when anything is wrong nothing is changed.

    Examples:

      opsconductor apply -f ops/ --source git/ops --prune

      opsconductor apply -f web.yaml --secret web.password=env:WEB_PASSWORD
    """
    wish = _wish(secret, source, prune, take_over, rotate_secrets)
    made = await _planned(api, file, wish)
    if dry_run:
        return _show_plan(out, made)
    _ask_before_deleting(made, sure=yes)
    done: list[dict[str, str]] = []

    def told(change: Change) -> None:
        done.append(_result(change))
        if out.for_people:
            style = "dim" if change.action == "unchanged" else ""
            render.say(f"{change.kind.name.lower()} {change.name} {change.action}", style=style)

    await carry_out(api, made, wish, told)
    if not out.for_people:
        out.data(done)
    return exits.OK


@diff.command("diff")
@served
async def show_difference(
    api: Api,
    out: Out,
    *,
    file: Files,
    secret: Secrets = None,
    source: Source = None,
    prune: Prune = False,
    take_over: TakeOver = False,
) -> int:
    """Show what `apply` would change. Exits with 0 when nothing would, with 1 when something would.

    Example: opsconductor diff -f ops/ --source git/ops --prune
    """
    made = await _planned(api, file, _wish(secret, source, prune, take_over, False))  # noqa: FBT003
    _show_plan(out, made)
    return exits.FAILED if made.differs() else exits.OK


def _wish(secret: list[str] | None, source: str | None, *flags: bool) -> Wish:
    prune, take_over, rotate = flags
    if prune and not source:
        raise CliError("--prune needs --source: only what carries that label is deleted.")
    secrets = split_by_credential(secret or [])
    return Wish(source=source, prune=prune, take_over=take_over, rotate=rotate, secrets=secrets)


async def _planned(api: Api, files: list[str], wish: Wish) -> Plan:
    reading = read_documents(files)
    refuse(reading.faults)
    made = await plan(api, reading.documents, wish)
    refuse(made.faults)
    return made


def _show_plan(out: Out, made: Plan) -> int:
    if not out.for_people:
        out.data([_result(change) | {"diff": "\n".join(difference(change))} for change in made.changes])
        return exits.OK
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for change in made.changes:
        for line in difference(change) if change.action != "unchanged" else ():
            render.say(line, style=styles.get(line[:1], ""))
    counts = {word: sum(change.action == word for change in made.changes) for word in _WORDS}
    render.remark(", ".join(f"{count} {_WORDS[word]}" for word, count in counts.items()))
    return exits.OK


_WORDS = {"created": "to create", "changed": "to change", "deleted": "to delete", "unchanged": "unchanged"}


def _result(change: Change) -> dict[str, str]:
    return {"kind": change.kind.name, "name": change.name, "result": change.action}


def _ask_before_deleting(made: Plan, *, sure: bool) -> None:
    doomed = [change for change in made.changes if change.action == "deleted"]
    if not doomed or sure:
        return
    for change in doomed:
        render.remark(f"  {change.kind.name.lower()} {change.name}", style="red")
    confirm_deletion(f"Delete these {len(doomed)}?")


def confirm_deletion(question: str) -> None:
    """Raises `CliError` unless a person says yes."""
    if not render.agreed(question, unasked="To delete without asking: --yes"):
        raise CliError("Nothing was changed.")
