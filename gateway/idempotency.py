"""Idempotency-Key: the same request sent twice is carried out once and answered alike."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text

from contracts.errors import FieldProblem, IdempotencyMismatch, Invalid
from infra.database import Statements
from infra.jwt_keys import JwtKeys

KEY = re.compile(r"[\x21-\x7e]{1,255}")

_CLAIM = text("""
    INSERT INTO idempotency_keys (principal, route, key, body_hash, status, resource_id)
    SELECT * FROM unnest(CAST(:principals AS text[]), CAST(:routes AS text[]), CAST(:keys AS text[]),
                         CAST(:hashes AS bytea[]), CAST(:statuses AS int[]), CAST(:resources AS uuid[]))
           AS t (principal, route, key, body_hash, status, resource_id)
     ORDER BY principal, route, key
    ON CONFLICT DO NOTHING
    RETURNING principal, route, key
""")
_STORED = text("""
    SELECT stored.principal, stored.route, stored.key, stored.body_hash, stored.resource_id
      FROM idempotency_keys AS stored
      JOIN unnest(CAST(:principals AS text[]), CAST(:routes AS text[]), CAST(:keys AS text[]))
           AS asked (principal, route, key) USING (principal, route, key)
""")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """One request's key. `hashes` are its body's under every key this process knows; the first is stored."""

    principal: str
    route: str
    key: str
    hashes: tuple[bytes, ...] = field(repr=False)

    @property
    def place(self) -> tuple[str, str, str]:
        return self.principal, self.route, self.key


class RequestKeys:
    """Hashes bodies under a key, so that a stored hash says nothing about a secret in the body."""

    def __init__(self, keys: JwtKeys) -> None:
        ordered = [keys.keys[keys.signing_id], *(k for i, k in keys.keys.items() if i != keys.signing_id)]
        self._keys = [hmac.digest(key, b"idempotency", "sha256") for key in ordered]

    def of(self, header: str | None, *, principal: str, route: str, body: bytes) -> RequestKey | None:
        """The request's key, None without header; raises `Invalid` for one that is not plain text."""
        if header is None:
            return None
        if not KEY.fullmatch(header):
            raise Invalid(
                "The Idempotency-Key is not valid.",
                problems=[FieldProblem("Idempotency-Key", "must be 1 to 255 visible ASCII characters")],
            )
        digest = hashlib.sha256(body).digest()
        return RequestKey(
            principal, route, header, tuple(hmac.digest(k, digest, "sha256") for k in self._keys)
        )


def first_answer(key: RequestKey, body_hash: bytes, resource_id: UUID) -> UUID:
    """What the first request made; raises `IdempotencyMismatch` when its body was another one."""
    if not any(hmac.compare_digest(body_hash, candidate) for candidate in key.hashes):
        raise IdempotencyMismatch(f"The Idempotency-Key {key.key!r} was used before with another body.")
    return resource_id


async def claim_keys(
    session: Statements, claims: Sequence[tuple[RequestKey, UUID]], *, status: int
) -> set[tuple[str, str, str]]:
    """The places that were free. A key some other open transaction holds is waited for."""
    rows = await session.execute(
        _CLAIM,
        _columns([key for key, _ in claims])
        | {
            "hashes": [key.hashes[0] for key, _ in claims],
            "statuses": [status] * len(claims),
            "resources": [resource for _, resource in claims],
        },
    )
    return {(row[0], row[1], row[2]) for row in rows}


async def stored_keys(
    session: Statements, keys: Sequence[RequestKey]
) -> dict[tuple[str, str, str], tuple[bytes, UUID]]:
    """Body hash and resource of those keys that were used before."""
    rows = await session.execute(_STORED, _columns(keys))
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}


async def claim_key(
    session: Statements, key: RequestKey | None, resource_id: UUID, *, status: int = 201
) -> UUID | None:
    """None when this request is the first of its key; what the first one made otherwise."""
    if key is None or await claim_keys(session, [(key, resource_id)], status=status):
        return None
    body_hash, first = (await stored_keys(session, [key]))[key.place]
    return first_answer(key, body_hash, first)


def _columns(keys: Sequence[RequestKey]) -> dict[str, list[str]]:
    return {
        "principals": [key.principal for key in keys],
        "routes": [key.route for key in keys],
        "keys": [key.key for key in keys],
    }
