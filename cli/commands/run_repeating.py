"""`opsconductor runs rerun` and `runs resolve`: doing a run again, and settling what nobody knows."""

from typing import Annotated, Any, Literal

import typer

from cli.client.api import Api
from cli.client.command import served
from cli.client.files import with_stored_files
from cli.client.names import run_ids, target_names
from cli.client.parameters import typed_parameters
from cli.client.problems import CliError
from cli.commands.following import Follow, Timeout, Wait, stay
from cli.commands.run import Parameters
from cli.output import Column, Out

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run.", autocompletion=run_ids)]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", "-t", help="Only these; repeatable.", autocompletion=target_names),
]


@served
async def rerun(
    api: Api,
    out: Out,
    run_id: RunId,
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only where a task failed, timed out or is unknown.")
    ] = False,
    not_succeeded: Annotated[
        bool,
        typer.Option("--not-succeeded", help="Also where something was skipped, cancelled, not reached."),
    ] = False,
    from_step: Annotated[
        str | None, typer.Option("--from-step", metavar="STEP", help="Leave out the steps before it.")
    ] = None,
    target: Targets = None,
    param: Parameters = None,
    newest: Annotated[
        bool, typer.Option("--newest", help="With the job as it is now, not as it was then.")
    ] = False,
    follow: Follow = False,
    wait: Wait = False,
    timeout: Timeout = None,
) -> int:
    """Do a run again: all of it, or only what did not go well. Parameters stay unless -p says otherwise.

    Example: opsconductor runs rerun 0198… --failed --follow
    """
    if failed and not_succeeded:
        raise CliError("Give --failed or --not-succeeded, not both: the second includes the first.")
    tasks = "failed" if failed else "not_succeeded" if not_succeeded else "all"
    body: dict[str, Any] = {"tasks": tasks, "version": "newest" if newest else "same"}
    if from_step:
        body["from_step"] = from_step
    if target:
        body["targets"] = target
    if param:
        values = typed_parameters(await _definition(api, run_id, newest=newest), param)
        body["parameters"] = await with_stored_files(api, values)
    accepted = await api.post(f"/api/v1/runs/{run_id}/rerun", body, once=True)
    return await stay(api, out, accepted, following=follow, waiting=wait, timeout=timeout)


async def _definition(api: Api, run_id: str, *, newest: bool) -> dict[str, Any]:
    used = await api.get(f"/api/v1/runs/{run_id}/definition")
    found = await api.get(f"/api/v1/jobs/{used['job_id']}") if newest else used
    definition: dict[str, Any] = found["definition"]
    return definition


@served
async def resolve(
    api: Api,
    out: Out,
    run_id: RunId,
    *,
    verdict: Annotated[Literal["succeeded", "failed"], typer.Option("--as", help="What somebody found out.")],
    reason: Annotated[str, typer.Option("--reason", help="How you know; it is kept.")],
    step: Annotated[str | None, typer.Option("--step", "-s", help="Only of this step.")] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Only on this target.", autocompletion=target_names)
    ] = None,
) -> None:
    """Settle tasks of which nobody knows how they ended: look at the machine, then say what is true.

    Example: opsconductor runs resolve 0198… --as succeeded -t web-1 --reason "service is up, saw it"
    """
    tasks = await api.pages(f"/api/v1/runs/{run_id}/steps", target=target, status="unknown")
    wanted = [task for task in tasks if step in {None, task["step"]} and not task["resolution"]]
    if not wanted:
        raise CliError("There is no unsettled unknown task there.")
    body = {"verdict": verdict, "reason": reason}
    settled = [
        await api.post(f"/api/v1/tasks/{task['task_id']}/resolve", body)
        | {"step": task["step"], "target": task["target"]}
        for task in wanted
    ]
    columns = (Column("STEP", "step"), Column("TARGET", "target"), Column("SETTLED AS", "verdict"))
    out.items(settled, columns, empty="None.", name="task_id")
