"""The hottest route: asking for a run."""

from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from contracts.access.roles import Permission, allows
from contracts.errors import FieldProblem, Forbidden, Invalid
from contracts.runs.states import RunTrigger
from gateway.deps import actor_of, deps_of
from gateway.permissions import LeanRoute, needs, read_body
from gateway.principals import Principal
from gateway.runs import service
from gateway.runs.schemas import RunAccepted, RunBody

router = APIRouter(prefix="/api/v1", tags=["runs"], route_class=LeanRoute)

CLIENTS_OF_PEOPLE = {"web", "cli"}

_OPENAPI = {
    "parameters": [
        {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
        {"name": "idempotency-key", "in": "header", "required": False, "schema": {"type": "string"}},
        {
            "name": "ops-client",
            "in": "header",
            "required": False,
            "description": "`web` and `cli` say that a person asks: the trigger is `manual`, else `api`.",
            "schema": {"type": "string"},
        },
    ],
    "requestBody": {
        "required": False,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RunBody"}}},
    },
}


@router.post("/jobs/{job_id}/run", status_code=202, response_model=RunAccepted, openapi_extra=_OPENAPI)
@needs(Permission.RUNS_START)
async def request_run(request: Request) -> Response:
    """Ask for a run; answered as soon as it is stored. Follow it at the Location."""
    job_id = _job_id(request.path_params["job_id"])
    body = await read_body(request, RunBody)
    deps, raw = deps_of(request), await request.body()
    principal: Principal = request.scope["principal"]
    key = deps.request_keys.of(
        request.headers.get("idempotency-key"),
        principal=principal.id,
        route=f"POST {request.scope['path']}",
        body=raw,
    )
    if body.even_if_inactive and not allows(principal.role, Permission.JOBS_WRITE):
        raise Forbidden(f"Starting an inactive job needs the permission {Permission.JOBS_WRITE.value}.")
    by_hand = request.headers.get("ops-client") in CLIENTS_OF_PEOPLE
    trigger = RunTrigger.MANUAL if by_hand else RunTrigger.API
    accepted = await service.request_run(
        deps, actor_of(request), job_id, body, key=key, size=len(raw), trigger=trigger
    )
    run_id = str(accepted.run_id)
    return Response(
        orjson.dumps({"id": run_id, "status": accepted.status}),
        status_code=202,
        headers={"location": f"/api/v1/runs/{run_id}"},
        media_type="application/json",
    )


def _job_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(
            "The job id is not valid.", problems=[FieldProblem("job_id", "must be a UUID")]
        ) from None
