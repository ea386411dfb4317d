"""`opsconductor explain`: what a cause of a failure means. Needs no server."""

import textwrap
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli import render
from cli.client.command import OutputOption, run
from cli.client.nearness import did_you_mean
from cli.client.problems import CliError
from cli.output import Column, Out, Output
from contracts.causes import CAUSES
from contracts.causes.help import GROUPS, HELP, RETRY_WORDS, what_it_says

app = typer.Typer(add_completion=False)

WIDTH = 96
COLUMNS = (Column("CAUSE", "code"), Column("WHAT IT IS", "title"), Column("WHERE", "group"))


def _codes(incomplete: str) -> list[str]:
    return [code for code in HELP if code.startswith(incomplete)]


@app.command("explain")
def explain(
    cause: Annotated[
        str | None,
        typer.Argument(metavar="CAUSE", help="Its name; all of them when left out.", autocompletion=_codes),
    ] = None,
    *,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell what a cause of a failure means and what to do about it.

    Example: opsconductor explain auth_rejected
    """
    run(_explain(None if cause is None else cause.strip().lower(), Out(output)))


async def _explain(code: str | None, out: Out) -> None:
    if code is None:
        out.items([_said(one) for one in HELP], COLUMNS, empty="", name="code")
    elif code in HELP:
        out.one(_said(code), lambda: _tell(code), name="code")
    else:
        hints = [*did_you_mean(code, list(HELP)), "All of them: opsconductor explain"]
        raise CliError(f"There is no cause named {code}.", hints=hints)


def _said(code: str) -> dict[str, Any]:
    group = next(title for title, causes in GROUPS.items() if code in causes)
    words = {"message": what_it_says(code), "retry": CAUSES[code].retry.value}
    return {"code": code, "group": group} | words | asdict(HELP[code])


def _tell(code: str) -> None:
    help_ = HELP[code]
    render.say(f"{help_.title} ({code})", style="bold")
    render.say(f"It says: {what_it_says(code)}")
    render.say("")
    render.say(textwrap.fill(help_.why, WIDTH))
    render.say("")
    for step in help_.steps:
        render.say(textwrap.fill(step, WIDTH, initial_indent="- ", subsequent_indent="  "))
    render.say("")
    if help_.settings:
        render.say(f"Settings: {', '.join(help_.settings)}")
    render.say(textwrap.fill(RETRY_WORDS[CAUSES[code].retry], WIDTH))
