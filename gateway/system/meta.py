"""What a client has to know before anybody has signed in."""

from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from contracts.access.roles import Permission
from gateway.deps import Deps
from gateway.permissions import OpsRoute, needs
from infra.clock import now

router = APIRouter(prefix="/api/v1", tags=["system"], route_class=OpsRoute)

FEATURES = ("jobs", "runs", "targets", "credentials", "deadletters", "live", "saved-filters")


class MetaView(BaseModel):
    """`time` is the gateway's clock, for clients to tell how far theirs is off. `deployment`: `up` keeps
    everything on one machine, `service` is an installation of separate parts."""

    version: str
    api_version: Literal["v1"]
    deployment: Literal["up", "service"]
    sandbox: bool
    features: list[str]
    time: datetime


@router.get("/meta")
@needs(Permission.PUBLIC)
async def get_meta(deps: Deps) -> MetaView:
    """What this installation is."""
    return MetaView(
        version=_version(),
        api_version="v1",
        deployment=deps.settings.deployment,
        sandbox=deps.settings.sandbox,
        features=list(FEATURES),
        time=now(),
    )


@cache
def _version() -> str:
    try:
        return version("opsconductor")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"
