"""Trust on first use: pinning exactly what a finished connection test saw. No HTTP in here."""

from uuid import UUID

from contracts.errors import Conflict, FieldProblem, Invalid
from contracts.tables.targets import TargetRow
from contracts.tables.testing import ConnectionTestRow
from contracts.targets.specs import SshSettings, WinrmSettings
from contracts.targets.testing import ENDED, ConnectionTestStatus, Presented
from gateway.auditing import audit
from gateway.deps import Actor
from gateway.etags import require_match
from gateway.history import differences
from gateway.targets.queries import get_target
from gateway.targets.schemas import PinRequest
from gateway.targets.service import fields_of, tag_of
from gateway.targets.testing.queries import get_test
from infra.clock import now
from infra.unit_of_work import UnitOfWork


class NotPinnable(Conflict):
    """The test does not speak of the target as it is now."""

    code = "not_pinnable"


async def pin(
    uow: UnitOfWork, who: Actor, target_id: UUID, body: PinRequest, *, if_match: str | None
) -> TargetRow:
    """The target under its next version, trusting what the test saw.

    Raises `NotPinnable` for a test that has not ended, is another target's or of another address, and
    `Invalid` for anything the test did not see.
    """
    row = await get_target(uow.session, who.project_id, target_id, to_change=True)
    require_match(if_match, tag_of(row))
    test = await get_test(uow.session, who.project_id, body.test_id)
    _require_same_machine(row, test)
    seen, fields = Presented.model_validate(test.presented or {}), fields_of(row)
    if (body.host_key is None) == (body.fingerprint is None):
        raise _refused("host_key", "give either host_key or fingerprint")
    if body.host_key is not None:
        before, pinned = row.ssh.get("host_key"), _seen_key(seen, body.host_key)
        row.ssh = {**row.ssh, "host_key": pinned}
    else:
        before, pinned = row.winrm.get("fingerprint"), _seen_certificate(seen, body.fingerprint)
        row.winrm = {**row.winrm, "fingerprint": pinned}
    row.version, row.updated_at = row.version + 1, now()
    await audit(
        uow,
        who,
        "targets.pin",
        "target",
        row.id,
        name=row.name,
        version=row.version,
        test_id=str(test.id),
        pinned=pinned,
        before=before,
        changes=differences(fields, fields_of(row)),
    )
    return row


def _require_same_machine(row: TargetRow, test: ConnectionTestRow) -> None:
    if test.target_id != row.id:
        raise NotPinnable(f"The test {test.id} is of another target.")
    if ConnectionTestStatus(test.status) not in ENDED:
        raise NotPinnable("The test has not ended yet; wait for its result.")
    if _address(test.transport, row.hostname, row.winrm, row.ssh) != _address(
        test.transport, test.reach["hostname"], test.reach["winrm"], test.reach["ssh"]
    ):
        raise NotPinnable("The test was of another address than the target has now; test it again.")


def _address(transport: str, hostname: str, winrm: object, ssh: object) -> tuple[str, int]:
    if transport == "winrm":
        return hostname, WinrmSettings.model_validate(winrm).effective_port
    return hostname, SshSettings.model_validate(ssh).port


def _seen_key(seen: Presented, wanted: str) -> str:
    words = wanted.split()[:2]
    for key in seen.host_keys:
        if wanted.strip() == key.fingerprint or words == key.key.split()[:2]:
            return key.key
    raise _refused("host_key", "the test did not see this key")


def _seen_certificate(seen: Presented, wanted: str | None) -> str:
    if seen.certificate is None or seen.certificate.fingerprint != wanted:
        raise _refused("fingerprint", "the test did not see this certificate")
    return seen.certificate.fingerprint


def _refused(field: str, reason: str) -> Invalid:
    return Invalid("Only what a finished test saw can be pinned.", problems=[FieldProblem(field, reason)])
