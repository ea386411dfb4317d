"""`opsconductor runs …`: look at runs, stay with them, stop them."""

import asyncio
from collections import Counter
from typing import Annotated, Any

import typer

from cli import exits, render
from cli.client.api import Api
from cli.client.command import All, Limit, Timeout, served
from cli.client.finding import find_named
from cli.client.names import job_names, run_ids, target_names
from cli.client.parameters import value_in_words
from cli.client.runs import TERMINAL, until_ended
from cli.client.times import moment
from cli.commands import run_log, run_repeating
from cli.commands.following import progress_words, tell_end, tell_failures, wait_for
from cli.output import Column, Out

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Look at runs, read their output, repeat and stop them."
)
app.command("log")(run_log.log)
app.command("rerun")(run_repeating.rerun)
app.command("resolve")(run_repeating.resolve)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run.", autocompletion=run_ids)]
COLUMNS = (
    Column("RUN", "id"),
    Column("JOB", "job_name"),
    Column("STATUS", "status"),
    Column("TARGETS", "targets_count"),
    Column("REQUESTED", lambda run: render.ago(run["requested_at"])),
    Column("TOOK", lambda run: render.took(run["started_at"], run["ended_at"])),
    Column("BY", lambda run: run["requested_by_name"] or run["requested_by"]),
    Column("PROGRESS", progress_words, wide=True),
    Column("TRIGGER", "trigger", wide=True),
    Column("REASON", "reason", wide=True),
)


@app.command("list")
@served
async def list_runs(
    api: Api,
    out: Out,
    *,
    job: Annotated[str | None, typer.Option("--job", autocompletion=job_names, help="Name or id.")] = None,
    status: Annotated[list[str] | None, typer.Option("--status", help="As failed; repeatable.")] = None,
    target: Annotated[str | None, typer.Option("--target", "-t", autocompletion=target_names)] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those you asked for.")] = False,
    since: Annotated[str | None, typer.Option("--since", help="As 2h, 7d or 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Requested before.")] = None,
    search: Annotated[str | None, typer.Option("--search", help="Part of a job's name or an id.")] = None,
    limit: Limit = 20,
    every: All = False,
) -> None:
    """The newest runs.

    Examples:

      opsconductor runs list --status failed --since 24h

      opsconductor runs list --all -o jsonl
    """
    wanted = {
        "job_id": (await find_named(api, "jobs", job))["id"] if job else None,
        "status": status or None,
        "target": target,
        "requested_by": "me" if mine else None,
        "since": moment(since),
        "until": moment(until),
        "q": search,
    }
    items = await api.pages("/api/v1/runs", at_most=None if every else limit, **wanted)
    out.items(items, COLUMNS, empty="No runs. Start one: opsconductor run JOB", name="id")


@app.command()
@served
async def show(api: Api, out: Out, run_id: RunId) -> None:
    """One run: every step on every target with state, exit code and cause."""
    found = await api.get(f"/api/v1/runs/{run_id}")
    tasks = await api.pages(f"/api/v1/runs/{run_id}/steps")
    failures = await api.get(f"/api/v1/runs/{run_id}/failures")
    out.one(found | {"steps": tasks}, lambda: _show(found, tasks, failures), name="id")


def _show(found: dict[str, Any], tasks: list[dict[str, Any]], failures: dict[str, Any]) -> None:
    render.say(f"{found['job_name']} (version {found['job_version']})", style="bold")
    named = found["parameters"] | found.get("parameter_names", {})
    values = ", ".join(f"{name}={value_in_words(value)}" for name, value in named.items())
    render.say(f"Run {found['id']}" + (f" with {values}" if values else ""))
    asked = found["requested_by_name"] or found["requested_by"]
    render.say(f"Requested {render.ago(found['requested_at'])} by {asked}")
    took = render.took(found["started_at"], found["ended_at"])
    state = found["status"] + (f" in {took}" if took else "")
    reason = f": {found['reason']}" if found["reason"] else ""
    render.say(state + reason, style=render.status(found["status"]))
    render.say("")
    render.table(
        ("STEP", "TARGET", "STATUS", "EXIT", "ATTEMPT", "TOOK", "CAUSE"),
        (
            (
                task["step"],
                task["target"],
                task["status"] + (f", settled as {task['resolution']}" if task["resolution"] else ""),
                task["exit_code"],
                task["attempt"],
                render.took(task["started_at"], task["finished_at"]),
                task["error"] and task["error"]["code"],
            )
            for task in tasks
        ),
        empty="No tasks yet.",
    )
    _tell_waiting(tasks)
    tell_failures(failures)


def _tell_waiting(tasks: list[dict[str, Any]]) -> None:
    """Every reason once, with how many tasks wait for it."""
    reasons = Counter(task["waiting_for"] for task in tasks if task["waiting_for"])
    for reason, count in reasons.items():
        render.remark(f"  {count} waiting for {reason}", style="yellow")


@app.command()
@served
async def watch(api: Api, out: Out, run_id: RunId, *, timeout: Timeout = None) -> int:
    """Stay with a run and see how far it is; exits as the run ends."""
    return await _wait(api, out, [run_id], timeout)


@app.command()
@served
async def wait(
    api: Api,
    out: Out,
    ids: Annotated[list[str], typer.Argument(metavar="RUN…", autocompletion=run_ids)],
    *,
    timeout: Timeout = None,
) -> int:
    """Wait until runs have ended; exits with 0 when all succeeded, else as the first that did not."""
    return await _wait(api, out, ids, timeout)


async def _wait(api: Api, out: Out, ids: list[str], timeout: float | None) -> int:
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    codes, found = [], []
    for run_id in ids:
        left = None if deadline is None else max(deadline - loop.time(), 0.1)
        code, run = await wait_for(api, run_id, timeout=left)
        codes.append(code)
        found.append(run)
    if not out.for_people:
        out.data(found[0] if len(found) == 1 else found, name="id")
    return next((code for code in codes if code), exits.OK)


@app.command()
@served
async def cancel(api: Api, out: Out, run_id: RunId, *, timeout: Timeout = None) -> int:
    """Stop a run, wait until it has stopped, and say what really became of its tasks."""
    asked = await api.post(f"/api/v1/runs/{run_id}/cancel")
    if asked["status"] in TERMINAL:
        render.remark("It had ended before.")
    try:
        async with asyncio.timeout(timeout):
            found = await until_ended(api, run_id)
    except TimeoutError:
        render.remark(f"It has not stopped within {timeout:g} s; it is still being stopped.", style="red")
        return exits.TIMED_OUT
    except asyncio.CancelledError:
        render.remark("The run is still being stopped.")
        raise
    tasks = await api.pages(f"/api/v1/runs/{run_id}/steps")
    counts = Counter(task["status"] for task in tasks)
    words = ", ".join(f"{count} {state}" for state, count in counts.items())
    out.one(found, lambda: render.say(f"Tasks: {words or 'none'}"), name="id")
    await tell_end(api, found)
    return exits.OK if found["status"] == "cancelled" else exits.code_of(found["status"])
