"""Watching a run until its end, for `run --follow` and `runs log --follow`."""

import asyncio
from typing import Any

from cli import exits, render
from cli.client.api import Api
from cli.client.runs import BAD_TASKS
from cli.client.stream import follow

SHOWN_TASKS = 20


def still_going(run_id: str) -> None:
    """What to say when somebody stops watching."""
    render.remark("")
    render.remark("You stopped watching; the run goes on.", style="bold")
    render.remark(f"  Watch again:  opsconductor runs log {run_id} --follow", style="")
    render.remark(f"  Cancel it:    opsconductor runs cancel {run_id}", style="")


async def watch(api: Api, run_id: str, *, timeout: float | None) -> int:
    """Show the output as it comes, then how the run ended; the exit code that says so."""
    try:
        async with asyncio.timeout(timeout):
            await follow(api, run_id, show=render.output_line, note=render.remark)
    except TimeoutError:
        render.remark(f"The run did not end within {timeout:g} s.", style="bold red")
        still_going(run_id)
        return exits.TIMED_OUT
    run = await api.get(f"/api/v1/runs/{run_id}")
    await tell_end(api, run)
    return exits.code_of(run["status"])


async def tell_end(api: Api, run: dict[str, Any]) -> None:
    """One line about the run, and one for each task that did not succeed: cause, and what to do."""
    took = render.took(run["requested_at"], run["ended_at"])
    render.remark(f"{run['status']} in {took}", style=f"bold {render.status(run['status'])}".strip())
    if run.get("reason"):
        render.remark(f"  {run['reason']}", style="")
    if run["status"] != "succeeded":
        tasks = [t for t in await api.pages(f"/api/v1/runs/{run['id']}/steps") if t["status"] in BAD_TASKS]
        tell_tasks(tasks)


def tell_tasks(tasks: list[dict[str, Any]]) -> None:
    for task in tasks[:SHOWN_TASKS]:
        place = f"{task['step']} on {task['target']}" if task["target"] else task["step"]
        error = task["error"] or {}
        words = error.get("message") or _exit_words(task)
        render.remark(f"  {place}: {task['status']}: {words}", style="")
        if hint := error.get("hint"):
            render.remark(f"    {hint}")
    if len(tasks) > SHOWN_TASKS:
        render.remark(f"  … and {len(tasks) - SHOWN_TASKS} more")


def _exit_words(task: dict[str, Any]) -> str:
    return "no reason given" if task["exit_code"] is None else f"exit code {task['exit_code']}"
