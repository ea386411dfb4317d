"""The record of one test while it goes from stage to stage."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from contracts.targets.testing import (
    PresentedCertificate,
    PresentedKey,
    Stage,
    StageReport,
    Transport,
)
from workers.executor.steps.base import StepFault
from workers.executor.testing import reports


class Halted(Exception):
    """A stage failed and is recorded: the ones behind it make no sense."""


@dataclass(slots=True)
class Note:
    """What a stage has to say when it went well."""

    detail: str = ""


@dataclass(slots=True)
class Journal:
    """Stages as they end, and what the machine showed so far."""

    transport: Transport
    reports: list[StageReport] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    banner: str | None = None
    host_keys: list[PresentedKey] = field(default_factory=list)
    certificate: PresentedCertificate | None = None
    auth_methods: list[str] = field(default_factory=list)
    system: dict[str, str] = field(default_factory=dict)
    fault: StepFault | None = None
    """The first that was recorded."""
    _under_way: tuple[Stage, float] | None = None

    @asynccontextmanager
    async def stage(self, stage: Stage) -> AsyncIterator[Note]:
        """Times a stage. A `StepFault` inside is recorded and becomes `Halted`."""
        begun, note = time.perf_counter(), Note()
        self._under_way = (stage, begun)
        try:
            yield note
        except StepFault as fault:
            self._record(reports.failed(stage, _since(begun), fault, note.detail))
            self.fault = self.fault or fault
            raise Halted from fault
        self._record(reports.passed(stage, _since(begun), note.detail))

    def skip(self, stage: Stage, why: str) -> None:
        self._record(reports.skipped(stage, why))

    def fail_here(self, fault: StepFault) -> None:
        """Record what ended the stage under way from outside."""
        if self._under_way is not None:
            stage, begun = self._under_way
            self._record(reports.failed(stage, _since(begun), fault))

    def _record(self, report: StageReport) -> None:
        self.reports.append(report)
        self._under_way = None


def _since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000
