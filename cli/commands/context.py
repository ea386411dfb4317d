"""`opsconductor context …`: which servers there are, and which one is meant."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli import render
from cli.client.command import NoHeadersOption, OutputOption, QueryOption
from cli.client.contexts import Context, Contexts
from cli.client.names import context_names
from cli.here import guarded
from cli.output import Column, Out, Output

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Work with several servers, one at a time."
)

Name = Annotated[str, typer.Argument(metavar="CONTEXT", autocompletion=context_names)]


@app.command("list")
def list_contexts(
    *, output: OutputOption = Output.TABLE, query: QueryOption = None, no_headers: NoHeadersOption = False
) -> None:
    """Every server that somebody has signed in to from here. Make one with `login --context NAME`."""

    def work() -> None:
        contexts = Contexts()
        current = contexts.current
        found = [asdict(one) | {"current": one.name == current} for one in contexts.all()]
        columns = [
            Column("", lambda one: "*" if one["current"] else " "),
            Column("CONTEXT", "name"),
            Column("URL", "url"),
            Column("USER", "username"),
            Column("SESSION IN", "store", wide=True),
        ]
        out = Out(output, query, headers=not no_headers)
        out.items(found, columns, empty="No contexts. Make one: opsconductor login --url URL --context NAME")

    guarded(work)


@app.command()
def use(name: Name) -> None:
    """Mean this server from now on.

    Example: opsconductor context use prod
    """

    def work() -> None:
        context = Contexts().use(name)
        render.say(f"Commands now go to {context.name} ({context.url}).")

    guarded(work)


@app.command()
def show(
    *, context: Annotated[str | None, typer.Argument(autocompletion=context_names)] = None,
    output: OutputOption = Output.TABLE, query: QueryOption = None,
) -> None:  # fmt: skip
    """Which server is meant right now, and who is signed in there."""

    def work() -> None:
        chosen = Contexts().chosen(context, None)
        signed_in = Contexts().get(chosen) is not None
        Out(output, query).one(asdict(chosen) | {"signed_in": signed_in}, lambda: _tell(chosen, signed_in))

    guarded(work)


def _tell(context: Context, signed_in: bool) -> None:  # noqa: FBT001
    render.say(f"{context.name}  {context.url}")
    render.say(f"Signed in as {context.username}." if signed_in else "Nobody is signed in.")


@app.command()
def delete(name: Name) -> None:
    """Forget a server and the session there."""

    def work() -> None:
        Contexts().delete(name)
        render.say(f"Forgot {name}.")

    guarded(work)
