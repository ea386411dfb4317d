"""`opsconductor run`."""

from typing import Annotated, Any

import typer

from cli.client.api import Api
from cli.client.command import served
from cli.client.files import with_stored_files
from cli.client.finding import find_named
from cli.client.names import job_names, target_names
from cli.client.parameters import typed_parameters
from cli.client.problems import CliError
from cli.commands.following import Follow, Timeout, Wait, stay
from cli.output import Out

app = typer.Typer(add_completion=False)

Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        "-p",
        metavar="NAME=VALUE",
        help="A parameter; NAME=@FILE takes it from a file, which is stored for a parameter of type file;"
        " repeatable, and of type multi with the same name for each choice.",
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        metavar="NAME",
        help="Instead of the job's own targets; repeatable.",
        autocompletion=target_names,
    ),
]


@app.command("run")
@served
async def run_job(
    api: Api,
    out: Out,
    job: Annotated[str, typer.Argument(metavar="JOB", help="Name or id.", autocompletion=job_names)],
    *,
    param: Parameters = None,
    target: Targets = None,
    query: Annotated[
        str | None, typer.Option("--query", metavar="QUERY", help="Targets that fit, as `os:linux tag:web`.")
    ] = None,
    even_if_inactive: Annotated[
        bool, typer.Option("--even-if-inactive", help="Also while the job is deactivated.")
    ] = False,
    follow: Follow = False,
    wait: Wait = False,
    timeout: Timeout = None,
) -> int:
    """Run a job.

    With --follow or --wait the exit code says how it ended: 0 succeeded, 1 failed, 3 partly, 4 cancelled,
    5 unknown, 124 not in time.

    Examples:

      opsconductor run "Restart service" -p svc=Spooler -t web-1 -t web-2 --follow

      opsconductor run Patch --query "os:windows tag:ring=1" --wait --timeout 3600
    """
    if target and query:
        raise CliError("Give --target or --query, not both.")
    found = await find_named(api, "jobs", job)
    values = typed_parameters(found["definition"], param or [])
    body: dict[str, Any] = {"parameters": await with_stored_files(api, values)}
    if target or query:
        body["targets"] = target or {"query": query}
    if even_if_inactive:
        body["even_if_inactive"] = True
    accepted = await api.post(f"/api/v1/jobs/{found['id']}/run", body, once=True)
    return await stay(api, out, accepted, following=follow, waiting=wait, timeout=timeout)
