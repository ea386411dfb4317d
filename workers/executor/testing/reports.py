"""From what happened in each stage to what a person reads: pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.runs.states import TaskState
from contracts.targets.testing import (
    STAGES,
    ConnectionTestStatus,
    Stage,
    StageError,
    StageReport,
    Transport,
)
from workers.executor.masking import Masker
from workers.executor.steps.base import StepFault
from workers.executor.verdicts import Ended, error_of

NOT_REACHED = "not tried: an earlier stage failed"


def passed(stage: Stage, ms: float, detail: str) -> StageReport:
    return StageReport(stage=stage, status="ok", ms=round(ms, 1), detail=detail, error=None)


def failed(stage: Stage, ms: float, fault: StepFault, detail: str = "") -> StageReport:
    """A stage that ended with a typed cause; its words fill the cause's texts."""
    error = error_of(Ended(state=TaskState.FAILED, cause=fault.cause, words=fault.words)) or {}
    said = detail or str(fault.words.get("detail", ""))
    return StageReport(
        stage=stage, status="failed", ms=round(ms, 1), detail=said, error=StageError.model_validate(error)
    )


def skipped(stage: Stage, why: str) -> StageReport:
    return StageReport(stage=stage, status="skipped", ms=None, detail=why, error=None)


def completed(transport: Transport, reports: Sequence[StageReport]) -> list[StageReport]:
    """A report for every stage of the transport, in its order; what was not come to is skipped."""
    by_stage = {report.stage: report for report in reports}
    return [by_stage.get(stage) or skipped(stage, NOT_REACHED) for stage in STAGES[transport]]


def verdict(reports: Sequence[StageReport]) -> tuple[ConnectionTestStatus, StageError | None]:
    """Succeeded when no stage failed; otherwise the error of the first that did."""
    for report in reports:
        if report.status == "failed":
            return ConnectionTestStatus.FAILED, report.error
    return ConnectionTestStatus.SUCCEEDED, None


def storable(document: Any, masker: Masker) -> Any:
    """`document` without secrets and without what the database cannot hold, whatever a machine sent."""
    if isinstance(document, str):
        text = document.replace("\0", "\u2400").encode("utf-8", "replace")
        return masker.mask(text).decode("utf-8", "replace")
    if isinstance(document, Mapping):
        return {key: storable(value, masker) for key, value in document.items()}
    if isinstance(document, list):
        return [storable(value, masker) for value in document]
    return document
