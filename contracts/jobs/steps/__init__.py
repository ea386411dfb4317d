"""What each step type may say. Strict: an unknown option is refused, never ignored."""

from typing import Annotated

from pydantic import Field

from contracts.jobs.steps.base import (
    POOL_PATTERN,
    ExecSpec,
    FailOn,
    RemoteStep,
    RetryPolicy,
    StepSpec,
)
from contracts.jobs.steps.facts import CollectFacts
from contracts.jobs.steps.files import CopySpec, WinrmCopy
from contracts.jobs.steps.http import HttpRequest
from contracts.jobs.steps.ssh import BOUND_SHELLS, SshCommand, SshCopy, SshExec, SshScript, SudoAs
from contracts.jobs.steps.waits import Wait, WaitPort, WaitReboot
from contracts.jobs.steps.winrm import WinrmExec

__all__ = [
    "BOUND_SHELLS",
    "POOL_PATTERN",
    "STEP_TYPES",
    "AnyStep",
    "CollectFacts",
    "CopySpec",
    "ExecSpec",
    "FailOn",
    "HttpRequest",
    "RemoteStep",
    "RetryPolicy",
    "SshCommand",
    "SshCopy",
    "SshExec",
    "SshScript",
    "StepSpec",
    "SudoAs",
    "Wait",
    "WaitPort",
    "WaitReboot",
    "WinrmCopy",
    "WinrmExec",
]

AnyStep = Annotated[
    WinrmExec
    | WinrmCopy
    | SshExec
    | SshScript
    | SshCopy
    | HttpRequest
    | CollectFacts
    | Wait
    | WaitPort
    | WaitReboot,
    Field(discriminator="type"),
]

STEP_TYPES: tuple[type[StepSpec], ...] = (
    WinrmExec,
    WinrmCopy,
    SshExec,
    SshScript,
    SshCopy,
    HttpRequest,
    CollectFacts,
    Wait,
    WaitPort,
    WaitReboot,
)
