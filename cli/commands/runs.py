"""`opsconductor runs …`."""

import asyncio
import json
from collections import Counter
from typing import Annotated, Any

import httpx2
import typer

from cli import exits, render
from cli.client.api import Api
from cli.client.context import UrlOption, run, signed_in
from cli.client.lines import LineAssembler
from cli.client.problems import Unreachable
from cli.client.runs import BAD_TASKS, find_job, until_ended
from cli.commands.following import still_going, tell_end, tell_tasks, watch
from cli.render import Output, OutputOption

app = typer.Typer(no_args_is_help=True, help="Look at runs, read their output, stop them.")

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run.")]
Timeout = Annotated[float | None, typer.Option("--timeout", min=0.1, help="Seconds to wait at most.")]


@app.command("list")
def list_runs(
    *,
    job: Annotated[str | None, typer.Option("--job", help="Name or id of a job.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="For example failed.")] = None,
    target: Annotated[str | None, typer.Option("--target", "-t")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000)] = 20,
    output: OutputOption = Output.TABLE,
    url: UrlOption = None,
) -> None:
    """The newest runs."""

    async def work() -> None:
        async with signed_in(url) as api:
            job_id = (await find_job(api, job))["id"] if job else None
            items = await api.pages(
                "/api/v1/runs", at_most=limit, job_id=job_id, status=status, target=target
            )
        if output is Output.JSON:
            return render.as_json(items)
        return render.table(
            ("RUN", "JOB", "STATUS", "REQUESTED", "TOOK", "BY"),
            (
                (
                    item["id"],
                    item["job_name"],
                    item["status"],
                    render.ago(item["requested_at"]),
                    render.took(item["started_at"], item["ended_at"]),
                    item["requested_by_name"] or item["requested_by"],
                )
                for item in items
            ),
            empty="No runs. Start one: opsconductor run JOB",
        )

    run(work())


@app.command()
def show(run_id: RunId, *, output: OutputOption = Output.TABLE, url: UrlOption = None) -> None:
    """One run: every step on every target with state, exit code and cause."""

    async def work() -> None:
        async with signed_in(url) as api:
            found = await api.get(f"/api/v1/runs/{run_id}")
            tasks = await api.pages(f"/api/v1/runs/{run_id}/steps")
        if output is Output.JSON:
            return render.as_json(found | {"steps": tasks})
        return _show(found, tasks)

    run(work())


def _show(found: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
    render.say(f"{found['job_name']} (version {found['job_version']})", style="bold")
    values = ", ".join(f"{name}={value}" for name, value in found["parameters"].items())
    render.say(f"Run {found['id']}" + (f" with {values}" if values else ""))
    asked = found["requested_by_name"] or found["requested_by"]
    render.say(f"Requested {render.ago(found['requested_at'])} by {asked}")
    took = render.took(found["started_at"], found["ended_at"])
    state = found["status"] + (f" in {took}" if took else "")
    render.say(
        f"{state}{': ' + found['reason'] if found['reason'] else ''}", style=render.status(found["status"])
    )
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
    tell_tasks([task for task in tasks if task["error"]])


@app.command()
def log(
    run_id: RunId,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only of tasks that did not succeed.")] = False,
    target: Annotated[str | None, typer.Option("--target", "-t")] = None,
    step: Annotated[str | None, typer.Option("--step", "-s")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="All of it, and on until the end.")] = False,
    timeout: Timeout = None,
    output: OutputOption = Output.TABLE,
    url: UrlOption = None,
) -> None:
    """The output of a run. `-o json` gives one object per chunk."""

    async def work() -> int | None:
        async with signed_in(url) as api:
            if follow:
                return await watch(api, run_id, timeout=timeout)
            for place in await _places(api, run_id, step, target) if failed else [(step, target)]:
                await _print_log(api, run_id, *place, raw=output is Output.JSON)
            return None

    run(work(), interrupted=(lambda: still_going(run_id)) if follow else None)


async def _places(
    api: Api, run_id: str, step: str | None, target: str | None
) -> list[tuple[str | None, str | None]]:
    """Step and target of each task that did not succeed."""
    tasks = await api.pages(f"/api/v1/runs/{run_id}/steps", target=target)
    return [
        (task["step"], task["target"])
        for task in tasks
        if task["status"] in BAD_TASKS and step in {None, task["step"]}
    ]


async def _print_log(api: Api, run_id: str, step: str | None, target: str | None, *, raw: bool) -> None:
    wanted = {"format": "jsonl", "step": step, "target": target}
    params = {name: value for name, value in wanted.items() if value is not None}
    lines = LineAssembler()
    try:
        async with api.streaming(f"/api/v1/runs/{run_id}/log", params=params) as answer:
            async for text in answer.aiter_lines():
                if raw:
                    typer.echo(text)
                    continue
                for line in lines.feed(json.loads(text)):
                    render.output_line(line)
    except httpx2.TransportError as error:
        raise Unreachable(api.url, str(error) or type(error).__name__) from error
    for line in lines.end():
        render.output_line(line)


@app.command()
def cancel(
    run_id: RunId,
    *,
    timeout: Timeout = None,
    output: OutputOption = Output.TABLE,
    url: UrlOption = None,
) -> None:
    """Stop a run, wait until it has stopped, and say what really became of its tasks."""

    async def work() -> int:
        async with signed_in(url) as api:
            await api.post(f"/api/v1/runs/{run_id}/cancel")
            try:
                async with asyncio.timeout(timeout):
                    found = await until_ended(api, run_id)
            except TimeoutError:
                render.remark(
                    f"It has not stopped within {timeout:g} s; it is still being stopped.", style="red"
                )
                return exits.TIMED_OUT
            if output is Output.JSON:
                render.as_json(found)
            else:
                await _tell_stopped(api, found)
        return exits.OK if found["status"] == "cancelled" else exits.code_of(found["status"])

    run(work(), interrupted=lambda: render.remark("The run is still being stopped."))


async def _tell_stopped(api: Api, found: dict[str, Any]) -> None:
    tasks = await api.pages(f"/api/v1/runs/{found['id']}/steps")
    counts = Counter(task["status"] for task in tasks)
    render.say(f"Tasks: {', '.join(f'{count} {state}' for state, count in counts.items()) or 'none'}")
    await tell_end(api, found)
