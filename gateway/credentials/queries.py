"""Reading what anyone may know of credentials."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, not_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.credentials.types import CredentialType
from contracts.errors import NotFound
from contracts.tables.credentials import CredentialHoldRow, CredentialRow
from contracts.tables.targets import TargetRow
from gateway.credentials.schemas import HoldView, UsedBy, UsingTarget
from gateway.jobs.mentions import NamedJob, jobs_naming_credentials
from gateway.sorting import Order

SHOWN_USERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFilter:
    """All that are given must fit. `name` is a part of the name or of the user name; `held` on any target."""

    name: str | None = None
    type: CredentialType | None = None
    held: bool | None = None


async def list_credentials(
    session: AsyncSession, project_id: UUID, wanted: CredentialFilter, order: Order, *, limit: int
) -> Sequence[CredentialRow]:
    """One more than `limit` when there is a next page."""
    query = order.of(
        select(CredentialRow)
        .where(CredentialRow.project_id == project_id, CredentialRow.archived_at.is_(None))
        .limit(limit + 1),
        CredentialRow,
    )
    if wanted.name is not None:
        fits = (column.icontains(wanted.name, autoescape=True) for column in _NAMES)
        query = query.where(or_(*fits))
    if wanted.type is not None:
        query = query.where(CredentialRow.type == wanted.type.value)
    if wanted.held is not None:
        query = query.where(_HELD if wanted.held else not_(_HELD))
    return (await session.scalars(query)).all()


_NAMES = (CredentialRow.name, CredentialRow.username)
_HELD = or_(
    CredentialRow.held_at.is_not(None),
    exists().where(
        CredentialHoldRow.credential_id == CredentialRow.id,
        CredentialHoldRow.version == CredentialRow.current_version,
    ),
)


async def get_credential(
    session: AsyncSession, project_id: UUID, credential_id: UUID, *, to_change: bool = False
) -> CredentialRow:
    """The credential, locked when it is `to_change`; raises `NotFound`."""
    query = select(CredentialRow).where(
        CredentialRow.id == credential_id,
        CredentialRow.project_id == project_id,
        CredentialRow.archived_at.is_(None),
    )
    row = await session.scalar(query.with_for_update() if to_change else query)
    if row is None:
        raise NotFound.of("credential", credential_id)
    return row


_USERS = text("""
    SELECT asked.id AS credential_id, used.targets, used.sample
      FROM unnest(CAST(:ids AS uuid[])) AS asked (id),
           LATERAL (SELECT count(*) AS targets,
                           jsonb_agg(jsonb_build_object('id', id, 'name', name) ORDER BY name)
                               FILTER (WHERE place <= :shown) AS sample
                      FROM (SELECT id, name, row_number() OVER (ORDER BY name) AS place FROM targets
                             WHERE credential_id = asked.id AND archived_at IS NULL) AS users) AS used
""")


async def users_of(session: AsyncSession, credentials: Sequence[CredentialRow]) -> dict[UUID, UsedBy]:
    """Who uses each of them."""
    if not credentials:
        return {}
    rows = await session.execute(
        _USERS, {"ids": [credential.id for credential in credentials], "shown": SHOWN_USERS}
    )
    names = {credential.id: credential.name for credential in credentials}
    named = await jobs_naming_credentials(session, credentials[0].project_id, names.values())
    return {
        row.credential_id: _used_by(row.targets, row.sample, named.get(names[row.credential_id], []))
        for row in rows
    }


def _used_by(targets: int, sample: list[UsingTarget] | None, jobs: Sequence[NamedJob]) -> UsedBy:
    return UsedBy(targets=targets, sample=sample or [], jobs=len(jobs), jobs_sample=list(jobs[:SHOWN_USERS]))


async def holds_of(session: AsyncSession, credentials: Sequence[CredentialRow]) -> dict[UUID, list[HoldView]]:
    """The targets that rejected the current version of each, oldest first."""
    if not credentials:
        return {}
    rows = await session.execute(
        select(CredentialHoldRow, TargetRow.name)
        .join(TargetRow, TargetRow.id == CredentialHoldRow.target_id)
        .join(
            CredentialRow,
            (CredentialRow.id == CredentialHoldRow.credential_id)
            & (CredentialRow.current_version == CredentialHoldRow.version),
        )
        .where(CredentialHoldRow.credential_id.in_([credential.id for credential in credentials]))
        .order_by(CredentialHoldRow.held_at, CredentialHoldRow.target_id)
    )
    found: dict[UUID, list[HoldView]] = {}
    for hold, target in rows:
        view = HoldView(
            target_id=hold.target_id,
            target=target,
            reason=hold.reason,
            held_at=hold.held_at,
            run_id=hold.run_id,
        )
        found.setdefault(hold.credential_id, []).append(view)
    return found


async def known_credentials(session: AsyncSession, project_id: UUID, names: Collection[str]) -> set[str]:
    """Those of `names` that are credentials of the project."""
    if not names:
        return set()
    rows = await session.scalars(
        select(CredentialRow.name).where(
            CredentialRow.project_id == project_id,
            CredentialRow.archived_at.is_(None),
            CredentialRow.name.in_(names),
        )
    )
    return set(rows)
