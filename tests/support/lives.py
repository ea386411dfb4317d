"""Attempts as an executor carries them, on real plug-ins and targets, with a ledger in memory."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from contracts.jobs.definition import JobDefinition, parse_definition
from tests.support.artifacts import MemoryArtifacts
from tests.support.eventually import PATIENCE, eventually
from tests.support.ledger import TASK, MemoryLedger, MemoryVault
from workers.executor.holding import Claimed
from workers.executor.running import RunningAttempt
from workers.executor.steps.base import OpenedCredential, StepPlugin, TargetView
from workers.executor.surroundings import Surroundings
from workers.executor.tidying import clear_up, leave_behind

Step = Mapping[str, Any]
SECRET = "pass/w+rd?of the day=7"
"""Holds what the encodings change."""


@dataclass
class Worker:
    """One executor process: its plug-in with its connections, and what it carries."""

    plugin: StepPlugin[Any]
    running: "list[asyncio.Task[None]]" = field(default_factory=list)

    async def die(self) -> None:
        """Nothing is settled, detached or cleaned up; the system closes its connections."""
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        await self.plugin.close()


@dataclass(kw_only=True)
class Scene:
    """The target of one test, and what workers need to act on it."""

    make: Callable[[], StepPlugin[Any]]
    target: TargetView | None = None
    credential: OpenedCredential | None = None
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    still_mine: Callable[[], None] = lambda: None
    begun: Callable[[], bool] = lambda: False
    """Whether the target shows by other means than output that it has begun."""
    workers: list[Worker] = field(default_factory=list)

    def worker(self) -> Worker:
        worker = Worker(self.make())
        self.workers.append(worker)
        return worker

    async def close(self) -> None:
        for worker in self.workers:
            await worker.die()


@dataclass
class Life:
    """One task with its only attempt, over the workers that carry it."""

    scene: Scene
    step: Step
    worker: Worker
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    task: Claimed = field(default_factory=lambda: replace(TASK, id=uuid4(), run_id=uuid4()))
    attempt: RunningAttempt | None = None
    running: "asyncio.Task[None] | None" = None

    @property
    def definition(self) -> JobDefinition:
        parameters = {"token": {"type": "secret"}}
        return parse_definition({"name": "job", "parameters": parameters, "steps": [dict(self.step)]})

    @property
    def around(self) -> Surroundings:
        """What the worker shares with all its attempts."""
        scene = self.scene
        return Surroundings(
            ledger=self.ledger,
            vault=MemoryVault(scene.credential, {"token": SECRET}),
            plugins={self.worker.plugin.type: self.worker.plugin},
            still_mine=scene.still_mine,
            artifacts=lambda _task, _definition: scene.artifacts,
            reporter=lambda _: lambda _: None,
        )

    @property
    def claimed(self) -> Claimed:
        """The task as the worker reads it."""
        scene = self.scene
        return replace(
            self.task,
            target=_row(scene.target) if scene.target else None,
            credential=_claimed(scene.credential) if scene.credential else None,
            handle=dict(self.ledger.handle) if self.ledger.handle else None,
        )

    def begin(self) -> "asyncio.Task[None]":
        """Let the worker carry it from where the ledger says it is."""
        self.attempt = RunningAttempt(self.claimed, self.definition, self.around)
        self.running = asyncio.create_task(self.attempt.run(), name="attempt")
        self.worker.running.append(self.running)
        return self.running

    def dying(self) -> None:
        """The worker is killed at the next thing it waits for."""
        assert self.running is not None
        self.running.cancel()

    async def dead(self) -> None:
        """Wait until the worker was killed at the moment that a test chose."""
        assert self.running is not None
        await asyncio.wait({self.running}, timeout=PATIENCE)
        assert self.running.cancelled(), self.ledger.shown
        await self.worker.die()

    async def cleared_up_by(self, worker: Worker, *, over: bool = True) -> None:
        """Another executor has found the place of an attempt that is over, or come back to its target."""
        self.worker = worker
        task = replace(self.claimed, over=over)
        why = await clear_up(task, self.definition, self.around)
        if why is None:
            await self.ledger.cleared(task)
        else:
            await leave_behind(task, self.definition, self.around, why)

    async def through(self) -> MemoryLedger:
        """Begin and come to the end."""
        await self.begin()
        return self.ledger

    async def begun(self) -> None:
        """Wait for the first sign of the target."""
        assert self.running is not None
        running = self.running
        await eventually(lambda: running.done() or self.ledger.said or self.scene.begun())
        assert not running.done(), self.ledger.shown

    async def stopped(self, reason: Any) -> MemoryLedger:
        assert self.attempt is not None
        assert self.running is not None
        self.attempt.ask_to_stop(reason)
        await self.running
        return self.ledger

    def passed_on(self, worker: Worker) -> None:
        """Another executor has adopted it."""
        self.worker = worker
        self.task = replace(self.task, fence=self.task.fence + 1, reattached=self.task.reattached + 1)
        self.begin()

    async def taken_over_by(self, worker: Worker) -> None:
        """Another executor has adopted it and brings it to its end."""
        self.passed_on(worker)
        assert self.running is not None
        await self.running


def _claimed(credential: OpenedCredential) -> dict[str, Any]:
    """What is claimed of the credential, without its sealed part."""
    return {
        "credential_id": credential.id,
        "credential_version": credential.version,
        "username": credential.username,
    }


def _row(target: TargetView) -> dict[str, Any]:
    """The target as it is claimed."""
    return {
        "id": target.id,
        "name": target.name,
        "hostname": target.hostname,
        "os": target.os,
        "winrm": target.winrm.model_dump(mode="json"),
        "ssh": target.ssh.model_dump(mode="json"),
    }
