"""What was changed on something people look after: by whom, when, which fields. Told from the audit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.access.queries import names_of
from gateway.paging import Page, encode_cursor, foreign_cursor, int_cursor, page

LONGEST = 200
"""Characters of a value that are kept; certificates and keys are longer."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CHANGES = text("""
    SELECT id, occurred_at AS at, principal, action, detail FROM audit
     WHERE subject_id = :subject AND subject_kind = :kind AND action = ANY(CAST(:actions AS text[]))
       AND (CAST(:at AS timestamptz) IS NULL OR (occurred_at, id) < (CAST(:at AS timestamptz), :id))
     ORDER BY occurred_at DESC, id DESC LIMIT :limit
""")
_CREDENTIALS = text("SELECT id::text AS id, name FROM credentials WHERE id::text = ANY(CAST(:ids AS text[]))")


class FieldChange(BaseModel):
    """One field, such as `ssh.port`; null is a field that was not set. Never a secret."""

    field: str
    before: str | None
    after: str | None


class ChangeView(BaseModel):
    """`changes` is empty for what has no fields, and for what was recorded before fields were."""

    at: datetime
    who: str
    who_name: str | None
    action: str
    text: str
    reason: str | None
    changes: list[FieldChange]


_WORDS = {
    "targets.create": "Added it.",
    "targets.change": "Changed it.",
    "targets.delete": "Took it out of use.",
    "targets.pin": "Trusted what a connection test saw.",
    "targets.verify-tls-off": "Switched the check of its certificate off.",
    "targets.verify-tls-on": "Switched the check of its certificate on.",
    "credentials.create": "Added it.",
    "credentials.change": "Changed it.",
    "credentials.delete": "Took it out of use.",
    "credentials.rotate": "Gave it new secrets.",
    "credentials.release": "Let it be tried again.",
    "credential.hold": "It was held back after a machine rejected it.",
}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """The fields that differ, as the audit keeps them; what is nested is named with a dot."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return [
        {"field": field, "before": old.get(field), "after": new.get(field)}
        for field in [*old, *(name for name in new if name not in old)]
        if old.get(field) != new.get(field)
    ]


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            words = value if isinstance(value, str) else orjson.dumps(value, default=str).decode().strip('"')
            yield f"{prefix}{name}", words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


async def read_history(
    session: AsyncSession, kind: str, subject: UUID, *, cursor: str | None, limit: int
) -> Page[ChangeView]:
    """The newest first."""
    after = int_cursor(cursor, 2)
    values: dict[str, Any] = {"subject": subject, "kind": kind, "actions": list(_WORDS), "limit": limit + 1}
    values |= {"at": None if after is None else _time(after[0]), "id": 0 if after is None else after[1]}
    rows = (await session.execute(_CHANGES, values)).all()
    names = await names_of(session, (row.principal for row in rows))
    credentials = await _credential_names(session, rows)
    return page(rows, limit, lambda row: _view(row, names, credentials), _cursor)


def _cursor(row: Row[Any]) -> str:
    return encode_cursor((row.at - _EPOCH) // timedelta(microseconds=1), row.id)


def _time(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise foreign_cursor() from None


def _view(row: Row[Any], names: Mapping[str, str], credentials: Mapping[str, str]) -> ChangeView:
    return ChangeView(
        at=row.at,
        who=row.principal,
        who_name=names.get(row.principal),
        action=row.action,
        text=_WORDS[row.action],
        reason=row.detail.get("reason"),
        changes=[_named(FieldChange(**change), credentials) for change in row.detail.get("changes", ())],
    )


def _named(change: FieldChange, credentials: Mapping[str, str]) -> FieldChange:
    if change.field != "credential_id":
        return change
    before, after = (credentials.get(value or "", value) for value in (change.before, change.after))
    return FieldChange(field="credential", before=before, after=after)


async def _credential_names(session: AsyncSession, rows: Sequence[Row[Any]]) -> dict[str, str]:
    changes = [change for row in rows for change in row.detail.get("changes", ())]
    ids = [
        c[side] for c in changes if c["field"] == "credential_id" for side in ("before", "after") if c[side]
    ]
    if not ids:
        return {}
    return {row.id: row.name for row in await session.execute(_CREDENTIALS, {"ids": ids})}
