"""`opsconductor jobs …`."""

from typing import Annotated, Any

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import All, Limit, served
from cli.client.finding import find_named
from cli.client.names import job_names
from cli.client.parameters import described
from cli.output import Column, Out

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Look at jobs; `get`, `apply` and `edit` work on their documents.",
)

Job = Annotated[str, typer.Argument(metavar="JOB", help="Name or id.", autocompletion=job_names)]
COLUMNS = (
    Column("JOB", "name"),
    Column("ID", "id", wide=True),
    Column("VERSION", "version"),
    Column("ACTIVE", "active"),
    Column("LAST RUNS", lambda job: _lately(job["lately"])),
    Column("CHANGED", lambda job: render.ago(job["updated_at"])),
    Column("BY", lambda job: job["updated_by_name"] or job["updated_by"], wide=True),
    Column("DESCRIPTION", "description", wide=True),
)


def _lately(lately: dict[str, Any]) -> str:
    return " ".join(dot["status"] for dot in lately["runs"][:3])


@app.command("list")
@served
async def list_jobs(
    api: Api,
    out: Out,
    *,
    name: Annotated[str | None, typer.Option("--name", help="Part of the name.")] = None,
    limit: Limit = 100,
    every: All = False,
) -> None:
    """Jobs, the newest first.

    Example: opsconductor jobs list -o json --query "[?!active].name"
    """
    items = await api.pages("/api/v1/jobs", at_most=None if every else limit, name=name)
    out.items(items, COLUMNS, empty="No jobs. Make one: opsconductor apply -f job.yaml")


@app.command()
@served
async def show(api: Api, out: Out, job: Job) -> None:
    """One job: its steps, parameters and last runs."""
    found = await find_named(api, "jobs", job)
    out.one(found, lambda: _show(found))


def _show(job: dict[str, Any]) -> None:
    render.say(f"{job['name']} (version {job['version']})", style="bold")
    if job["description"]:
        render.say(job["description"])
    if not job["active"]:
        render.say(f"Not active: {job['inactive_reason'] or 'no reason given'}", style="yellow")
    definition = job["definition"]
    if parameters := definition.get("parameters"):
        render.say("")
        rows = [described(name, spec) for name, spec in parameters.items()]
        render.table(("PARAMETER", "TYPE", "DEFAULT", "CHOICES", "WHAT FOR"), rows, empty="")
    render.say("")
    render.table(
        ("STEP", "TYPE", "TARGET"),
        (
            (step.get("name") or f"step-{at + 1}", step.get("type"), _where(step, definition))
            for at, step in enumerate(definition.get("steps", []))
        ),
        empty="No steps.",
    )


def _where(step: dict[str, Any], definition: dict[str, Any]) -> str:
    chosen = step.get("target") or definition.get("targets") or ""
    if isinstance(chosen, dict):
        return str(chosen.get("query", ""))
    return chosen if isinstance(chosen, str) else ", ".join(map(str, chosen))


@app.command()
@served
async def versions(api: Api, out: Out, job: Job, *, limit: Limit = 50, every: All = False) -> None:
    """Every version there was, who saved it and why."""
    found = await find_named(api, "jobs", job)
    items = await api.pages(f"/api/v1/jobs/{found['id']}/versions", at_most=None if every else limit)
    columns = (
        Column("VERSION", "version"),
        Column("CURRENT", "current"),
        Column("SAVED", lambda v: render.ago(v["created_at"])),
        Column("BY", lambda v: v["created_by_name"] or v["created_by"]),
        Column("WHY", "message"),
    )
    out.items(items, columns, empty="No versions.", name="version")


@app.command()
@served
async def activate(api: Api, out: Out, job: Job) -> None:
    """Let it run again."""
    found = await find_named(api, "jobs", job)
    changed = await api.post(f"/api/v1/jobs/{found['id']}/activate")
    out.one(changed, lambda: render.say(f"{changed['name']} is active."))


@app.command()
@served
async def deactivate(
    api: Api,
    out: Out,
    job: Job,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is shown.")],
) -> None:
    """Refuse runs of it from now on."""
    found = await find_named(api, "jobs", job)
    changed = await api.post(f"/api/v1/jobs/{found['id']}/deactivate", {"reason": reason})
    out.one(changed, lambda: render.say(f"{changed['name']} is no longer active."))
