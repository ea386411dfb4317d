"""`opsconductor jobs`, `targets` and `queues`."""

from typing import Annotated, Any

import typer

from cli import render
from cli.client.context import UrlOption, run, signed_in
from cli.render import Output, OutputOption

jobs = typer.Typer(no_args_is_help=True, help="Look at jobs.")
targets = typer.Typer(no_args_is_help=True, help="Look at targets.")
queues = typer.Typer()

Name = Annotated[str | None, typer.Option("--name", help="Part of the name.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="`name` or `name=value`; repeatable.")]


@jobs.callback()
def _jobs() -> None:
    """Look at jobs."""


@targets.callback()
def _targets() -> None:
    """Look at targets."""


@jobs.command("list")
def list_jobs(*, name: Name = None, output: OutputOption = Output.TABLE, url: UrlOption = None) -> None:
    """All jobs."""

    async def work() -> None:
        async with signed_in(url) as api:
            items = await api.pages("/api/v1/jobs", name=name)
        if output is Output.JSON:
            return render.as_json(items)
        return render.table(
            ("JOB", "ID", "VERSION", "ACTIVE", "CHANGED"),
            ((i["name"], i["id"], i["version"], i["active"], render.ago(i["updated_at"])) for i in items),
            empty="No jobs.",
        )

    run(work())


@targets.command("list")
def list_targets(
    *, name: Name = None, tag: Tags = None, output: OutputOption = Output.TABLE, url: UrlOption = None
) -> None:
    """All targets."""

    async def work() -> None:
        async with signed_in(url) as api:
            items = await api.pages("/api/v1/targets", name=name, tag=tag)
        if output is Output.JSON:
            return render.as_json(items)
        return render.table(
            ("TARGET", "OS", "ADDRESS", "POOL", "TAGS"),
            ((i["name"], i["os"], _address(i), i["pool"], _tags(i["tags"])) for i in items),
            empty="No targets.",
        )

    run(work())


def _address(target: dict[str, Any]) -> str:
    if target["os"] == "linux":
        return f"ssh://{target['hostname']}:{target['ssh']['port']}"
    winrm = target["winrm"]
    port = winrm["port"] or (5986 if winrm["scheme"] == "https" else 5985)
    return f"{winrm['scheme']}://{target['hostname']}:{port}"


def _tags(tags: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" if value else name for name, value in tags.items())


@queues.command()
def list_queues(*, output: OutputOption = Output.TABLE, url: UrlOption = None) -> None:
    """Every queue: how many messages wait, how many consumers listen."""

    async def work() -> None:
        async with signed_in(url) as api:
            items = (await api.get("/api/v1/queues"))["items"]
        if output is Output.JSON:
            return render.as_json(items)
        return render.table(
            ("QUEUE", "WAITING", "CONSUMERS"),
            ((item["name"], item["depth"], item["consumers"]) for item in items),
            empty="No queues.",
        )

    run(work())
