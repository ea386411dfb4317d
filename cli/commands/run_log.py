"""`opsconductor runs log`."""

import json
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any

import httpx2
import typer

from cli import render
from cli.client.api import Api
from cli.client.command import Timeout, served
from cli.client.lines import LineAssembler, OutputLine
from cli.client.names import run_ids, target_names
from cli.client.problems import CliError, Unreachable
from cli.client.runs import BAD_TASKS
from cli.client.times import moment
from cli.commands.following import watch
from cli.output import Out

Take = Callable[[dict[str, Any]], None]


@served
async def log(
    api: Api,
    out: Out,
    run_id: Annotated[str, typer.Argument(metavar="RUN", autocompletion=run_ids)],
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only of tasks that did not succeed.")] = False,
    target: Annotated[str | None, typer.Option("--target", "-t", autocompletion=target_names)] = None,
    step: Annotated[str | None, typer.Option("--step", "-s")] = None,
    since: Annotated[str | None, typer.Option("--since", help="As 5m, or 2026-01-31T08:00.")] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", help="A time before every line.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="All of it, and on until the end.")] = False,
    timeout: Timeout = None,
) -> int | None:
    """The output of a run. `-o jsonl` gives one object per chunk.

    Examples:

      opsconductor runs log 0198… --failed

      opsconductor runs log 0198… -t web-1 -s install --timestamps
    """
    if follow:
        if failed or since or timestamps or not out.for_people:
            raise CliError("With --follow only --target and --step choose; it shows lines as they come.")
        return await watch(api, run_id, timeout=timeout, wanted=lambda line: _fits(line, step, target))
    after = datetime.fromisoformat(text) if (text := moment(since)) else None
    shown: list[dict[str, Any]] = []
    lines = LineAssembler()
    take = _line_printer(lines, timestamps=timestamps) if out.for_people else _taker(out, shown)
    for place in await _places(api, run_id, step, target) if failed else [(step, target)]:
        async with aclosing(_chunks(api, run_id, *place)) as chunks:
            async for chunk in chunks:
                if after is None or datetime.fromisoformat(chunk["time"]) >= after:
                    take(chunk)
    for line in lines.end():
        render.output_line(line, timestamps=timestamps)
    if shown or not (out.for_people or _streams(out)):
        out.data(shown, name="data")
    return None


def _fits(line: OutputLine, step: str | None, target: str | None) -> bool:
    return step in {None, line.step} and target in {None, line.target}


def _line_printer(lines: LineAssembler, *, timestamps: bool) -> Take:
    def take(chunk: dict[str, Any]) -> None:
        for line in lines.feed(chunk):
            render.output_line(line, timestamps=timestamps)

    return take


def _streams(out: Out) -> bool:
    return out.form == "jsonl" and out.query is None


def _taker(out: Out, shown: list[dict[str, Any]]) -> Take:
    """JSON lines go out as they come; other forms need all of them."""
    if _streams(out):
        return _write
    return shown.append


def _write(chunk: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(chunk, ensure_ascii=False) + "\n")


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


async def _chunks(
    api: Api, run_id: str, step: str | None, target: str | None
) -> AsyncGenerator[dict[str, Any]]:
    wanted = {"format": "jsonl", "step": step, "target": target}
    params = {name: value for name, value in wanted.items() if value is not None}
    try:
        async with api.streaming(f"/api/v1/runs/{run_id}/log", params=params) as answer:
            async for text in answer.aiter_lines():
                yield json.loads(text)
    except httpx2.TransportError as error:
        raise Unreachable(api.url, str(error) or type(error).__name__) from error
