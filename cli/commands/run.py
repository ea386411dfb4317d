"""`opsconductor run`."""

from typing import Annotated

import typer

from cli import render
from cli.client.context import UrlOption, run, signed_in
from cli.client.runs import find_job, typed_parameters
from cli.commands.following import still_going, watch
from cli.render import Output, OutputOption

app = typer.Typer()

Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the job; repeatable."),
]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", "-t", metavar="NAME", help="Instead of the job's own targets; repeatable."),
]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Show the output as it comes; stderr is marked with `!`.")
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0.1, help="Seconds to follow at most; exit code 124 then.")
]


@app.command("run")
def run_job(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Name or id.")],
    *,
    param: Parameters = None,
    target: Targets = None,
    follow: Follow = False,
    timeout: Timeout = None,
    output: OutputOption = Output.TABLE,
    url: UrlOption = None,
) -> None:
    """Run a job.

    With --follow the exit code says how it ended: 0 succeeded, 1 failed, 3 partly, 4 cancelled, 5 unknown.
    """
    started: list[str] = []

    async def work() -> int | None:
        async with signed_in(url) as api:
            found = await find_job(api, job)
            body = {"parameters": typed_parameters(found["definition"], param or [])}
            accepted = await api.post(
                f"/api/v1/jobs/{found['id']}/run", body | ({"targets": target} if target else {}), once=True
            )
            started.append(accepted["id"])
            _tell(accepted, output, following=follow)
            return await watch(api, accepted["id"], timeout=timeout) if follow else None

    run(work(), interrupted=lambda: still_going(started[0]) if started else None)


def _tell(accepted: dict[str, str], output: Output, *, following: bool) -> None:
    if output is Output.JSON:
        render.as_json(accepted)
    elif following:
        render.remark(f"Run {accepted['id']}")
    else:
        render.say(f"Run {accepted['id']} is {accepted['status']}.")
        render.say(f"  Watch it:   opsconductor runs log {accepted['id']} --follow")
        render.say(f"  Its tasks:  opsconductor runs show {accepted['id']}")
