"""What every cause of a failure means, for clients to show beside it."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from contracts.access.roles import Permission
from contracts.causes import CAUSES
from contracts.causes.help import GROUPS, RETRY_WORDS, Help, what_it_says
from gateway.permissions import OpsRoute, needs

router = APIRouter(prefix="/api/v1", tags=["system"], route_class=OpsRoute)


class CauseHelp(BaseModel):
    """A cause in plain words. `settings` are where it is decided, as `step.timeoutSec` or `OPS_SLOTS`."""

    code: str
    group: str
    title: str
    message: str
    why: str
    steps: list[str]
    settings: list[str]
    retry: Literal["safe", "policy", "never"]
    retry_words: str


class CausesView(BaseModel):
    """Every cause there is, in the order of a run."""

    items: list[CauseHelp]


@router.get("/causes")
@needs(Permission.AUTHENTICATED)
async def list_causes() -> CausesView:
    """What each cause of a failure means, and what to do about it."""
    return CausesView(
        items=[
            _view(group, code, help_) for group, causes in GROUPS.items() for code, help_ in causes.items()
        ]
    )


def _view(group: str, code: str, help_: Help) -> CauseHelp:
    retry = CAUSES[code].retry
    return CauseHelp(
        code=code,
        group=group,
        title=help_.title,
        message=what_it_says(code),
        why=help_.why,
        steps=list(help_.steps),
        settings=list(help_.settings),
        retry=retry.value,
        retry_words=RETRY_WORDS[retry],
    )
