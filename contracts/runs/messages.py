"""Orders and facts about runs. They carry ids; the truth is in the tables."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.jobs.steps import POOL_PATTERN
from contracts.limits import TASKS_PER_MESSAGE
from contracts.messages import Command, Event

Pool = Annotated[str, Field(pattern=POOL_PATTERN)]


class StartRun(Command):
    """Plan this requested run and release its first tasks."""

    wire_type: ClassVar[str] = "runs.start-run.v1"

    run_id: UUID


class AdvanceRun(Command):
    """Something about this run changed: plan again."""

    wire_type: ClassVar[str] = "runs.advance-run.v1"

    run_id: UUID


class ExecuteTasks(Command):
    """These tasks of one pool can be claimed now."""

    wire_type: ClassVar[str] = "runs.execute-tasks.v1"

    run_id: UUID
    pool: Pool
    task_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=TASKS_PER_MESSAGE)]

    @property
    def routing_key(self) -> str:
        return f"{self.wire_type}.{self.pool}"


class CancelRequested(Event):
    """Somebody wants this run to stop; whoever holds tasks of it stops them on their targets."""

    wire_type: ClassVar[str] = "runs.cancel-requested.v1"

    run_id: UUID


class RunsChanged(Event):
    """New rows stand in the event or output tables of these runs; open streams read them."""

    wire_type: ClassVar[str] = "runs.runs-changed.v1"

    run_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1_000)]
