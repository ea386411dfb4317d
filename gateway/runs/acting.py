"""What people do to runs: stop them, repeat them, settle what stayed unknown."""

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.access.roles import Permission, allows
from contracts.errors import Forbidden
from contracts.runs.states import RunStatus
from gateway.deps import Caller, Deps, Key, Who, Writing
from gateway.permissions import OpsRoute, needs
from gateway.runs import bulk, repeating, service
from gateway.runs.bulk import BulkBody, BulkView
from gateway.runs.schemas import RerunBody, ResolutionView, ResolveBody, RunAccepted

router = APIRouter(prefix="/api/v1", tags=["runs"], route_class=OpsRoute)


@router.post("/runs/{run_id}/cancel", status_code=202)
@needs(Permission.RUNS_CANCEL)
async def cancel_run(run_id: UUID, uow: Writing, who: Who) -> RunAccepted:
    """Ask for a run to stop; asking twice is fine. It has stopped when its status says so."""
    run = await service.cancel_run(uow, who, run_id)
    return RunAccepted(id=run.id, status=RunStatus(run.status))


@router.post("/runs/{run_id}/rerun", status_code=202)
@needs(Permission.RUNS_START)
async def rerun(
    *, run_id: UUID, deps: Deps, who: Who, key: Key, response: Response, body: RerunBody | None = None
) -> RunAccepted:
    """Run it again: everywhere, where it did not succeed, or from one step on."""
    accepted = await repeating.rerun(deps, who, run_id, body or RerunBody(), key=key)
    response.headers["location"] = f"/api/v1/runs/{accepted.run_id}"
    return RunAccepted(id=accepted.run_id, status=accepted.status)


@router.post("/runs/bulk")
@needs(Permission.RUNS_CANCEL)
async def bulk_runs(body: BulkBody, deps: Deps, who: Who, caller: Caller) -> BulkView:
    """Cancel or repeat many runs, by id or by filter; with `dry_run` only count them.

    One request acts on at most 500 runs and says what became of each; `remaining` tells to ask again.
    """
    if body.action == "rerun" and not allows(caller.role, Permission.RUNS_START):
        raise Forbidden(f"This needs the permission {Permission.RUNS_START.value}.")
    return await bulk.act(deps, who, body)


@router.post("/tasks/{task_id}/resolve")
@needs(Permission.RUNS_RESOLVE)
async def resolve_task(task_id: UUID, body: ResolveBody, uow: Writing, who: Who) -> ResolutionView:
    """Record what really became of a task that ended as unknown."""
    row = await service.resolve_task(uow, who, task_id, body)
    return ResolutionView(
        task_id=row.task_id,
        verdict="succeeded" if row.verdict == "succeeded" else "failed",
        reason=row.reason,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
    )
