"""Orders and facts about runs. They carry ids; the truth is in the tables."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import Field

from contracts.jobs.steps import POOL_PATTERN
from contracts.limits import RUNS_PER_MESSAGE, TASKS_PER_MESSAGE
from contracts.messages import Command, Event

Pool = Annotated[str, Field(pattern=POOL_PATTERN)]


class RunCommand(Command):
    """An order about a run, and `also` about others that the same transaction concerned.

    Where one of several fails it is ordered again by itself, so that only its own message can die of it.
    """

    run_id: UUID
    also: Annotated[
        tuple[UUID, ...], Field(max_length=RUNS_PER_MESSAGE - 1, exclude_if=lambda ids: not ids)
    ] = ()

    @property
    def run_ids(self) -> tuple[UUID, ...]:
        return (self.run_id, *self.also)

    @classmethod
    def about(cls, run_ids: Sequence[UUID]) -> list[Self]:
        """As few orders as can name all these runs."""
        return [
            cls(run_id=run_ids[start], also=tuple(run_ids[start + 1 : start + RUNS_PER_MESSAGE]))
            for start in range(0, len(run_ids), RUNS_PER_MESSAGE)
        ]


class StartRun(RunCommand):
    """Plan this requested run and release its first tasks."""

    wire_type: ClassVar[str] = "runs.start-run.v1"


class AdvanceRun(RunCommand):
    """Something about this run changed: plan again."""

    wire_type: ClassVar[str] = "runs.advance-run.v1"


class ExecuteTasks(Command):
    """These tasks of one pool can be claimed now. `run_id` is null when they belong to several runs."""

    wire_type: ClassVar[str] = "runs.execute-tasks.v1"

    run_id: UUID | None
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
