"""One action on many runs: each by itself, so that one that cannot does not keep the others from it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.errors import OpsError
from contracts.runs.states import RunStatus
from contracts.tables.runs import RunRow
from gateway.deps import Actor, GatewayDeps
from gateway.runs import repeating, service
from gateway.runs.filters import RunFilter, narrowed
from gateway.runs.schemas import RerunBody
from gateway.schemas import Strict

MAX_RUNS = 500
MAX_COUNTED = 10_000
AT_ONCE = 8


class RunFilterBody(Strict):
    """The same filter as the list of runs has."""

    job_id: UUID | None = None
    status: Annotated[list[RunStatus], Field(max_length=20)] = Field(default_factory=list)
    target: Annotated[str, Field(max_length=253)] | None = None
    requested_by: Annotated[str, Field(max_length=100)] | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: Annotated[str, Field(max_length=200)] | None = None

    def wanted(self, me: str) -> RunFilter:
        """The filter; `me` is who asks."""
        values = self.model_dump()
        return RunFilter(**values | {"requested_by": me if self.requested_by == "me" else self.requested_by})


class BulkBody(Strict):
    """`ids` or `filter`, not both. `rerun` says how, where the action is that. With a filter `below` goes on
    where an answer's `next` says that it ended."""

    action: Literal["cancel", "rerun"]
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_RUNS)] | None = None
    filter: RunFilterBody | None = None
    below: UUID | None = None
    rerun: RerunBody = RerunBody()
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> "BulkBody":
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give either ids or filter")
        if self.below is not None and self.filter is None:
            raise ValueError("below goes with a filter")
        return self


class BulkItem(BaseModel):
    """What became of one run: `run_id` is the new run of a rerun, `code` and `detail` say why not."""

    id: UUID
    ok: bool
    status: RunStatus | None
    run_id: UUID | None
    code: str | None
    detail: str | None


class BulkView(BaseModel):
    """`matched` counts up to 10,000 runs the action can do something about; `remaining` were not tried.
    `next` is what to give as `below` to go on with those; null when none remain."""

    action: Literal["cancel", "rerun"]
    dry_run: bool
    matched: int
    matched_is_exact: bool
    done: int
    failed: int
    remaining: int
    next: UUID | None
    items: list[BulkItem]


async def act(deps: GatewayDeps, who: Actor, body: BulkBody) -> BulkView:
    """Act on up to 500 runs, the newest first; refusals are told per run."""
    async with deps.sessions() as session:
        found = await _matching(session, who, body)
    chosen = [] if body.dry_run else found[:MAX_RUNS]
    room = asyncio.Semaphore(AT_ONCE)

    async def one(run_id: UUID) -> BulkItem:
        async with room:
            return await _one(deps, who, run_id, body)

    items = await asyncio.gather(*(one(run_id) for run_id in chosen))
    done = sum(item.ok for item in items)
    return BulkView(
        action=body.action,
        dry_run=body.dry_run,
        matched=min(len(found), MAX_COUNTED),
        matched_is_exact=len(found) <= MAX_COUNTED,
        done=done,
        failed=len(items) - done,
        remaining=min(len(found), MAX_COUNTED) - len(items),
        next=chosen[-1] if body.filter is not None and len(found) > len(chosen) > 0 else None,
        items=list(items),
    )


async def _matching(session: AsyncSession, who: Actor, body: BulkBody) -> Sequence[UUID]:
    if body.ids is not None:
        return list(dict.fromkeys(body.ids))
    assert body.filter is not None  # noqa: S101  (the body has one of the two)
    query = select(RunRow.id).where(RunRow.project_id == who.project_id).order_by(RunRow.id.desc())
    if body.action == "cancel":
        query = query.where(RunRow.ended_at.is_(None), RunRow.cancel_requested_at.is_(None))
    wanted = body.filter.wanted(who.principal)
    query = await narrowed(session, query, who.project_id, wanted, after=body.below)
    return (await session.scalars(query.limit(MAX_COUNTED + 1))).all()


async def _one(deps: GatewayDeps, who: Actor, run_id: UUID, body: BulkBody) -> BulkItem:
    try:
        if body.action == "rerun":
            accepted = await repeating.rerun(deps, who, run_id, body.rerun, key=None)
            return BulkItem(
                id=run_id, ok=True, status=accepted.status, run_id=accepted.run_id, code=None, detail=None
            )
        async with deps.open_uow() as uow:
            run = await service.cancel_run(uow, who, run_id)
    except OpsError as error:
        return BulkItem(id=run_id, ok=False, status=None, run_id=None, code=error.code, detail=str(error))
    return BulkItem(id=run_id, ok=True, status=RunStatus(run.status), run_id=None, code=None, detail=None)
