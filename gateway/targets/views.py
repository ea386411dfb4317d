"""How a target is shown: with its newest test and what to be warned of."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import Response
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.tables.credentials import CredentialHoldRow, CredentialRow
from contracts.tables.targets import TargetOs, TargetRow
from contracts.targets.specs import SshSettings, WinrmSettings
from gateway.targets.lately import last_runs
from gateway.targets.schemas import LastRunView, LastTestView, TargetView, TargetWarning
from gateway.targets.service import tag_of
from gateway.targets.testing.queries import LastTest, last_tests


async def shown(session: AsyncSession, row: TargetRow, response: Response) -> TargetView:
    """One target, its tag in the response's headers."""
    response.headers["etag"] = tag_of(row)
    return (await shown_together(session, [row]))[row.id]


async def shown_together(session: AsyncSession, rows: Sequence[TargetRow]) -> dict[UUID, TargetView]:
    """Targets by id, in four queries however many they are."""
    ids = [row.id for row in rows]
    tests, runs = await last_tests(session, ids), await last_runs(session, ids)
    held, names = await _held(session, rows), await _credential_names(session, rows)
    return {
        row.id: _view(
            row, (tests.get(row.id), runs.get(row.id)), held.get(row.id), names.get(row.credential_id)
        )
        for row in rows
    }


async def _credential_names(session: AsyncSession, rows: Sequence[TargetRow]) -> dict[UUID | None, str]:
    ids = {row.credential_id for row in rows if row.credential_id is not None}
    found = await session.execute(
        select(CredentialRow.id, CredentialRow.name).where(CredentialRow.id.in_(ids))
    )
    return {row.id: row.name for row in found}


async def _held(session: AsyncSession, rows: Sequence[TargetRow]) -> dict[UUID, str]:
    """Names of credentials that are not tried on these targets."""
    found = await session.execute(
        select(TargetRow.id, CredentialRow.name)
        .join(CredentialRow, CredentialRow.id == TargetRow.credential_id)
        .outerjoin(
            CredentialHoldRow,
            (CredentialHoldRow.credential_id == CredentialRow.id)
            & (CredentialHoldRow.version == CredentialRow.current_version)
            & (CredentialHoldRow.target_id == TargetRow.id),
        )
        .where(
            TargetRow.id.in_([row.id for row in rows]),
            or_(CredentialRow.held_reason.is_not(None), CredentialHoldRow.target_id.is_not(None)),
        )
    )
    return {row.id: row.name for row in found}


def _view(
    row: TargetRow,
    lately: tuple[LastTest | None, LastRunView | None],
    held: str | None,
    credential_name: str | None,
) -> TargetView:
    test, run = lately
    winrm, ssh = WinrmSettings.model_validate(row.winrm), SshSettings.model_validate(row.ssh)
    os = TargetOs(row.os)
    return TargetView(
        id=row.id,
        name=row.name,
        os=os,
        hostname=row.hostname,
        credential_id=row.credential_id,
        credential_name=credential_name,
        tags=row.tags,
        labels=row.labels,
        pool=row.pool,
        winrm=winrm,
        ssh=ssh,
        facts=row.facts,
        facts_at=row.facts_at,
        version=row.version,
        last_test=None if test is None else _last_test(test),
        last_run=run,
        warnings=_warnings(os, winrm, ssh, held),
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _last_test(test: LastTest) -> LastTestView:
    error = test.error or {}
    return LastTestView(
        id=test.id, status=test.status, at=test.at, code=error.get("code"), message=error.get("message")
    )


def _warnings(os: TargetOs, winrm: WinrmSettings, ssh: SshSettings, held: str | None) -> list[TargetWarning]:
    found = []
    if os is TargetOs.WINDOWS and winrm.scheme == "https" and not winrm.verify_tls and not winrm.fingerprint:
        found.append(
            TargetWarning(
                code="tls_unverified",
                message="Certificates are not verified (verify_tls is false): whoever stands in between can "
                "read and change everything. Pin the certificate instead.",
            )
        )
    if os is TargetOs.LINUX and not ssh.host_key:
        found.append(
            TargetWarning(
                code="host_key_unpinned",
                message="No host key is pinned, so nothing is sent to this machine. Test the connection and "
                "pin the key it shows.",
            )
        )
    if held is not None:
        found.append(
            TargetWarning(
                code="credential_held",
                message=f"The credential {held} was rejected and is not tried here until it is rotated or "
                "released.",
            )
        )
    return found
