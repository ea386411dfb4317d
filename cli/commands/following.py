"""Staying with a run until its end, for every command that starts, watches or repeats one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import typer

from cli import exits, render
from cli.client.api import Api
from cli.client.lines import OutputLine
from cli.client.problems import Unreachable
from cli.client.runs import until_ended
from cli.client.stream import follow
from cli.leaving import reader_gone
from cli.output import Out
from contracts.causes.help import HELP

SHOWN_TARGETS = 5

Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Show the output as it comes; stderr is marked with `!`.")
]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Stay until it has ended, without its output.")]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0.1, help="Seconds to stay at most; exit code 124 then.")
]


async def stay(
    api: Api, out: Out, accepted: dict[str, Any], *, following: bool, waiting: bool, timeout: float | None
) -> int:
    """What to do with a run that was accepted: tell of it, wait for it, or show its output."""
    run_id = accepted["id"]
    if not (following or waiting or timeout):
        out.one(accepted, lambda: _tell_accepted(accepted), name="id")
        return exits.OK
    render.remark(f"Run {run_id}")
    if following:
        return await watch(api, run_id, timeout=timeout)
    code, run = await wait_for(api, run_id, timeout=timeout)
    if not out.for_people:
        out.one(run, name="id")
    return code


def _tell_accepted(accepted: dict[str, Any]) -> None:
    render.say(f"Run {accepted['id']} is {accepted['status']}.")
    render.remark(f"  Watch it:   opsconductor runs watch {accepted['id']}", style="")
    render.remark(f"  Its output: opsconductor runs log {accepted['id']} --follow", style="")


def still_going(run_id: str) -> None:
    """What to say when somebody stops watching."""
    render.remark("")
    render.remark("You stopped watching; the run goes on.", style="bold")
    render.remark(f"  Watch again:  opsconductor runs log {run_id} --follow", style="")
    render.remark(f"  Cancel it:    opsconductor runs cancel {run_id}", style="")


async def watch(
    api: Api, run_id: str, *, timeout: float | None, wanted: Callable[[OutputLine], bool] = lambda _: True
) -> int:
    """Show the wanted lines as they come, then how the run ended; the exit code that says so."""

    def show(line: OutputLine) -> None:
        if wanted(line):
            render.output_line(line)

    if not await _patiently(follow(api, run_id, show=show, note=render.remark), run_id, timeout):
        return exits.TIMED_OUT
    run = await api.get(f"/api/v1/runs/{run_id}")
    await tell_end(api, run)
    return exits.code_of(run["status"])


async def wait_for(api: Api, run_id: str, *, timeout: float | None) -> tuple[int, dict[str, Any]]:
    """The exit code and the run, once it has ended or patience has; progress is drawn for who can see it."""
    async with _progress() as draw:
        in_time = await _patiently(until_ended(api, run_id, draw), run_id, timeout)
    run: dict[str, Any] = {"id": run_id}
    if not in_time:
        with suppress(Unreachable):  # then it was a server that stayed away
            run = await api.get(f"/api/v1/runs/{run_id}")
        return exits.TIMED_OUT, run
    run = await api.get(f"/api/v1/runs/{run_id}")
    await tell_end(api, run)
    return exits.code_of(run["status"]), run


async def _patiently(work: Coroutine[Any, Any, Any], run_id: str, timeout: float | None) -> bool:
    """Whether the work ended in time; says how to go on when it did not, or when somebody interrupts."""
    try:
        async with asyncio.timeout(timeout):
            await work
    except TimeoutError:
        render.remark(f"The run did not end within {round(timeout or 0.0, 1):g} s.", style="bold red")
        still_going(run_id)
        return False
    except asyncio.CancelledError:
        still_going(run_id)
        raise
    except OSError as error:  # the output goes to a disk that is full
        if not reader_gone(error):
            still_going(run_id)
        raise
    return True


@asynccontextmanager
async def _progress() -> AsyncIterator[Callable[[dict[str, Any]], None]]:
    console = render.live()
    if console is None:
        yield lambda _run: None
        return
    with console.status("") as status:
        yield lambda run: status.update(progress_words(run))


def progress_words(run: dict[str, Any]) -> str:
    """`running: 12 of 50 done, 3 failed, 8 under way`."""
    progress = Counter({name: count for name, count in run["progress"].items() if name != "total"})
    total = run["progress"]["total"]
    open_tasks = progress["pending"] + progress["ready"] + progress["running"]
    bad = progress["failed"] + progress["timed_out"] + progress["unknown"]
    words = f"{run['status']}: {total - open_tasks} of {total} done"
    words += f", {bad} failed" if bad else ""
    return words + (f", {progress['running']} under way" if progress["running"] else "")


async def tell_end(api: Api, run: dict[str, Any]) -> None:
    """One line about the run; what failed, grouped by cause; and what one would type next."""
    took = render.took(run["requested_at"], run["ended_at"])
    render.remark(f"{run['status']} in {took}", style=f"bold {render.status(run['status'])}".strip())
    if run.get("reason"):
        render.remark(f"  {run['reason']}", style="")
    if run["status"] != "succeeded":
        failures = await api.get(f"/api/v1/runs/{run['id']}/failures")
        tell_failures(failures)
        _tell_next(run, failures)


def tell_failures(failures: dict[str, Any]) -> None:
    """Every cause once, with how many targets and which."""
    for group in failures["items"]:
        named = [name for name in group["targets"] if name][:SHOWN_TARGETS]
        more = f" and {group['count'] - len(named)} more" if group["count"] > len(named) and named else ""
        where = f" on {', '.join(named)}{more}" if named else ""
        words = group["message"] or _exit_words(group)
        render.remark(f"  {group['step']}{where}: {group['state']}: {words}", style="")
        if group["hint"]:
            render.remark(f"    {group['hint']}")
        if group["code"] in HELP:
            render.remark(f"    More about it: opsconductor explain {group['code']}")
    if failures["truncated"]:
        render.remark("  … and more.")


def _exit_words(group: dict[str, Any]) -> str:
    return "no reason given" if group["exit_code"] is None else f"exit code {group['exit_code']}"


def _tell_next(run: dict[str, Any], failures: dict[str, Any]) -> None:
    if not failures["total"]:
        return
    run_id = run["id"]
    render.remark(f"  Their output:    opsconductor runs log {run_id} --failed", style="")
    if any(group["state"] == "unknown" for group in failures["items"]):
        settle = f'opsconductor runs resolve {run_id} --as succeeded --reason "…"'
        render.remark(f"  Settle unknown:  {settle}", style="")
    render.remark(f"  Again, failed:   opsconductor runs rerun {run_id} --failed --follow", style="")
