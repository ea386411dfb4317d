"""`opsconductor doctor`."""

import asyncio
import os
from dataclasses import asdict

import typer

from cli import exits, render
from cli.client.command import OutputOption
from cli.client.contexts import Contexts
from cli.client.problems import CliError
from cli.diagnosis import surroundings
from cli.diagnosis.database import examine
from cli.diagnosis.model import Finding, bad, good
from cli.here import database, first_line, run, settings_here
from cli.output import Out, Output
from cli.places import DataFolder

app = typer.Typer(add_completion=False)

DATABASE_SECONDS = 15.0


@app.command()
def doctor(*, output: OutputOption = Output.TABLE) -> None:
    """Check everything that has to be right, and say what to do about what is not.

    Exit code 1 when any check fails.
    """
    run(_doctor(output))


async def _doctor(output: Output) -> int:
    findings = await _findings()
    if output not in {Output.TABLE, Output.WIDE}:
        Out(output).data([asdict(finding) for finding in findings], name="check")
    else:
        for finding in findings:
            word = "ok  " if finding.ok else "fail"
            render.say(f"{word}  {finding.check:<13} {finding.detail}", style="" if finding.ok else "red")
            if finding.remedy:
                render.say(f"      {'':<13} → {finding.remedy}")
    return exits.OK if all(finding.ok for finding in findings) else exits.FAILED


async def _findings() -> list[Finding]:
    data = DataFolder.of_environment()
    findings = surroundings.folder(data)
    try:
        settings = settings_here()
    except CliError as error:
        return [*findings, bad("settings", str(error), " ".join(error.hints))]
    findings.append(good("settings", "complete"))
    try:
        async with asyncio.timeout(DATABASE_SECONDS), database(settings) as engine:
            findings += await examine(engine)
    except Exception as error:  # every way of failing to reach a database is a finding, not a crash
        remedy = "Is it running, and is OPS_DATABASE_URL right?"
        findings.append(bad("database", f"cannot be used: {first_line(error)}", remedy))
    findings += await surroundings.broker(settings)
    running = data.running()
    url = os.environ.get("OPS_URL") or (running.http_url if running else Contexts().chosen(None, None).url)
    findings.append(await asyncio.to_thread(surroundings.ready, "gateway", url))
    if running is not None:
        place = f"http://127.0.0.1:{running.workers_port}"
        findings.append(await asyncio.to_thread(surroundings.ready, "worker health", place))
    return findings
