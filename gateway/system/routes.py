"""Health, metrics, and the answer for paths that do not exist."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from contracts.access.roles import Permission
from gateway.deps import Deps
from gateway.openapi import document_of
from gateway.permissions import OpsRoute, needs

router = APIRouter(tags=["system"], route_class=OpsRoute)


class HealthView(BaseModel):
    """`checks` says `ok` or what is wrong with each part."""

    status: Literal["ok", "degraded"]
    checks: dict[str, str]


@router.get("/livez", include_in_schema=False)
@needs(Permission.PUBLIC)
async def livez() -> HealthView:
    return HealthView(status="ok", checks={})


@router.get("/readyz")
@needs(Permission.PUBLIC)
async def readyz(deps: Deps, response: Response) -> HealthView:
    """503 until the database can be used. Without the broker requests are still accepted."""
    return await _health(deps, response, required=("database",))


@router.get("/health")
@needs(Permission.PUBLIC)
async def health(deps: Deps, response: Response) -> HealthView:
    """Everything this process depends on; 503 when any of it is missing."""
    return await _health(deps, response, required=("database", "broker"))


async def _health(deps: Deps, response: Response, *, required: tuple[str, ...]) -> HealthView:
    checks = dict(await deps.readiness())
    wrong = [name for name, answer in checks.items() if answer != "ok"]
    if any(name in wrong for name in required):
        response.status_code = 503
    return HealthView(status="degraded" if wrong else "ok", checks=checks)


@router.get("/metrics", include_in_schema=False, response_class=Response)
@needs(Permission.PUBLIC)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/v1/openapi.json", include_in_schema=False, response_class=Response)
@needs(Permission.PUBLIC)
async def openapi(request: Request) -> Response:
    return Response(document_of(request.app), media_type="application/json")


def feature_health(feature: str) -> APIRouter:
    """The health path that clients of one feature ask."""
    feature_router = APIRouter(prefix=f"/api/v1/{feature}", tags=[feature], route_class=OpsRoute)

    @feature_router.get("/health", name=f"{feature}_health")
    @needs(Permission.PUBLIC)
    async def healthy(deps: Deps, response: Response) -> HealthView:
        return await _health(deps, response, required=("database",))

    return feature_router
