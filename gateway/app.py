"""The HTTP application, from its parts."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.managing import router as managing
from gateway.access.profile import router as profile
from gateway.access.routes import router as access
from gateway.artifacts.routes import router as artifacts
from gateway.credentials.routes import router as credentials
from gateway.dashboard.routes import router as dashboard
from gateway.deadletters.bulk import router as deadletters_bulk
from gateway.deadletters.routes import router as deadletters
from gateway.deps import GatewayDeps
from gateway.edge import Edge
from gateway.jobs.routes import router as jobs
from gateway.jobs.routes import schemas_router as schemas
from gateway.legacy import Deprecations
from gateway.legacy import router as legacy
from gateway.live.routes import router as live
from gateway.openapi import operation_id
from gateway.problems import problem_for
from gateway.queues.routes import router as queues
from gateway.runs.accepting import router as accepting
from gateway.runs.acting import router as acting
from gateway.runs.routes import router as runs
from gateway.runs.viewing import router as viewing
from gateway.savedfilters.routes import router as saved_filters
from gateway.system.causes import router as causes
from gateway.system.meta import router as meta
from gateway.system.routes import feature_health
from gateway.system.routes import router as system
from gateway.targets.looking import router as targets_looking
from gateway.targets.routes import router as targets
from gateway.targets.testing.routes import router as connection_tests
from gateway.web import WebClient
from gateway.workers.routes import router as workers

HEALTH_OF = ("users", "credentials", "targets", "jobs", "runs")
ROUTERS = (
    accepting,  # the hottest route is looked at first
    system,
    meta,
    causes,
    *(feature_health(feature) for feature in HEALTH_OF),
    access,
    profile,
    managing,
    legacy,
    credentials,
    connection_tests,
    targets_looking,  # `/targets/tags` is no id
    targets,
    dashboard,
    saved_filters,
    jobs,
    schemas,
    live,
    acting,
    runs,
    viewing,
    artifacts,
    deadletters_bulk,
    deadletters,
    queues,
    workers,
)


def create_app(deps: GatewayDeps) -> FastAPI:
    """Every route of the gateway over these parts. Starts nothing and connects to nothing."""
    app = routes_only()
    app.state.deps = deps
    app.router.default = WebClient(deps.settings.web_dir, otherwise=app.router.not_found)
    return app


def routes_only() -> FastAPI:
    """The application without its parts: enough to describe it."""
    app = FastAPI(
        title="OpsConductor",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router)
    for error in (HTTPException, RequestValidationError):
        app.add_exception_handler(error, _problem)
    app.add_middleware(Deprecations)
    app.add_middleware(Edge)
    return app


async def _problem(request: Request, error: Exception) -> Response:
    return problem_for(error, request.scope["request_id"])
