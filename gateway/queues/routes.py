"""What the broker holds."""

from fastapi import APIRouter
from pydantic import BaseModel

from contracts.access.roles import Permission
from contracts.errors import Unavailable
from gateway.deps import Deps
from gateway.permissions import OpsRoute, needs

router = APIRouter(prefix="/api/v1/queues", tags=["queues"], route_class=OpsRoute)


class QueueView(BaseModel):
    """`depth` counts messages nobody has taken; both numbers are null for a queue that does not exist."""

    name: str
    depth: int | None
    consumers: int | None


class QueueList(BaseModel):
    items: list[QueueView]
    next_cursor: None = None


@router.get("")
@needs(Permission.SYSTEM_READ)
async def list_queues(deps: Deps) -> QueueList:
    """Every durable queue as the broker counts it now."""
    try:
        depths = await deps.queue_depths()
    except (OSError, TimeoutError) as error:
        raise Unavailable("The broker cannot be reached just now; runs go on, slower.") from error
    return QueueList(items=[QueueView(name=q.name, depth=q.depth, consumers=q.consumers) for q in depths])
