"""One whole test within its time limit: never an exception, always a result."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import structlog
from pydantic import ValidationError

from contracts.errors import SealBroken
from contracts.targets.testing import (
    TIME_LIMIT_SECONDS,
    ConnectionTestStatus,
    Presented,
    StageError,
    StageReport,
    Transport,
)
from infra.blocking import BlockingPool
from workers.executor.logins import FirstLogins
from workers.executor.masking import Masker
from workers.executor.steps.base import JumpHop, OpenedCredential, StepFault, TargetView
from workers.executor.steps.winrm.names import ShellNames, names_of_test
from workers.executor.testing import reports
from workers.executor.testing.journal import Halted, Journal
from workers.executor.testing.seating import Seat, Turns, Unseated
from workers.executor.testing.ssh import SshTest
from workers.executor.testing.winrm import WinrmTest

log = structlog.get_logger()

MARGIN_SECONDS = 3.0
"""Of the limit, for clearing up and for writing the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """As it is stored."""

    status: ConnectionTestStatus
    stages: list[dict[str, Any]]
    presented: dict[str, Any]
    error: dict[str, Any] | None
    fault: StepFault | None = None
    """What ended it, as it was raised; not stored."""


async def examine(
    transport: Transport,
    target: TargetView,
    credential: OpenedCredential | StepFault | None,
    pool: BlockingPool,
    *,
    seat: Seat | None = None,
    turns: Turns | None = None,
    names: ShellNames | None = None,
    seconds: float = TIME_LIMIT_SECONDS - MARGIN_SECONDS,
) -> Result:
    """Test `target` for at most `seconds`. A credential that cannot be used fails the stage `auth`."""
    journal = Journal(transport)
    opened = None if isinstance(credential, StepFault) else credential
    seat, turns = seat or Unseated(), turns or Turns(FirstLogins())
    turns.target_id = target.id
    test: SshTest | WinrmTest
    if transport == "ssh":
        test = SshTest(target, opened, journal, pool, seat, turns)
    else:
        names = names or names_of_test(uuid4(), 1)
        test = WinrmTest(target, opened, journal, pool, seat, turns, names)
    try:
        async with asyncio.timeout(seconds) as turns.limit:
            await test.run()
    except Halted:
        pass
    except TimeoutError:
        journal.fail_here(_fault(target, transport, "no_answer_in_time", f"{seconds:g}"))
    except Exception as error:
        log.exception("connection_test.failed", target=target.name)
        journal.fail_here(_fault(target, transport, "internal", type(error).__name__))
    finally:
        await seat.leave()
    stages = reports.completed(transport, journal.reports)
    if isinstance(credential, StepFault):
        stages = [_with(report, credential) for report in stages]
    result = result_of(stages, _presented(journal), secrets=_secrets(opened, target.jump))
    return replace(result, fault=journal.fault)


def unready(transport: Transport, error: ValidationError | SealBroken | StepFault) -> Result:
    """A test that cannot begin: what is stored cannot be read here, or names no usable jump host."""
    code = "credential_unreadable" if isinstance(error, SealBroken) else "step_invalid"
    fault = error if isinstance(error, StepFault) else StepFault(code, detail=str(error)[:300])
    first = reports.failed(reports.completed(transport, [])[0].stage, 0.0, fault)
    return result_of(reports.completed(transport, [first]), Presented(), secrets=())


def result_of(stages: Sequence[StageReport], presented: Presented, *, secrets: Sequence[str]) -> Result:
    """The result without secrets in it."""
    masker = Masker(secrets)
    status, error = reports.verdict(stages)
    shown: list[dict[str, Any]] = reports.storable([stage.model_dump() for stage in stages], masker)
    return Result(
        status=status,
        stages=shown,
        presented=reports.storable(presented.model_dump(), masker),
        error=_error(error, masker),
    )


def _error(error: StageError | None, masker: Masker) -> dict[str, Any] | None:
    return None if error is None else reports.storable(error.model_dump(), masker)


def _with(report: StageReport, fault: StepFault) -> StageReport:
    """The stage that missed the credential says why there was none."""
    missed = report.stage == "auth" and report.error is not None
    missed = missed and report.error is not None and report.error.code == "credential_missing"
    return reports.failed("auth", report.ms or 0.0, fault) if missed else report


def _presented(journal: Journal) -> Presented:
    return Presented(
        addresses=journal.addresses,
        banner=journal.banner,
        host_keys=journal.host_keys,
        certificate=journal.certificate,
        auth_methods=journal.auth_methods,
        system=journal.system,
    )


def _secrets(credential: OpenedCredential | None, hop: JumpHop | None) -> Sequence[str]:
    """Of the target's credential and of every jump host's on the way."""
    opened = [] if credential is None else [credential]
    while hop is not None:
        opened.append(hop.credential)
        hop = hop.target.jump
    return [secret for one in opened for secret in one.secrets.values()]


def _fault(target: TargetView, transport: Transport, code: str, detail: str) -> StepFault:
    port = target.winrm.effective_port if transport == "winrm" else target.ssh.port
    return StepFault(code, host=target.hostname, port=port, user="", detail=detail)
