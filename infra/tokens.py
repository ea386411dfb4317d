"""Access tokens: short-lived, signed, and worthless once the user's token version has moved on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from contracts.access.roles import Role
from contracts.errors import Unauthenticated
from infra.jwt_keys import JwtKeys

ALGORITHM = "HS256"
ISSUER = "opsconductor"
ACCESS_SECONDS = 15 * 60
LEEWAY_SECONDS = 30
_REQUIRED = ["exp", "iat", "iss", "sub", "name", "role", "tv"]


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Who a token speaks for. `expires_at` is in seconds since 1970."""

    user_id: UUID
    name: str
    role: Role
    token_version: int
    expires_at: int
    must_change_password: bool = False
    """Good for choosing a password and for nothing else."""


def issue(
    keys: JwtKeys,
    *,
    user_id: UUID,
    name: str,
    role: Role,
    token_version: int,
    now: datetime,
    must_change_password: bool = False,
) -> str:
    """A signed access token that lives 15 minutes from `now`."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": str(user_id),
        "name": name,
        "role": role.value,
        "tv": token_version,
        "iat": now,
        "exp": now + timedelta(seconds=ACCESS_SECONDS),
    }
    if must_change_password:
        claims["mcp"] = True
    return jwt.encode(
        claims, keys.keys[keys.signing_id], algorithm=ALGORITHM, headers={"kid": keys.signing_id}
    )


def verify(keys: JwtKeys, token: str) -> AccessClaims:
    """The claims of a token that is signed by one of `keys` and not expired; else `Unauthenticated`."""
    try:
        key = keys.keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
        return AccessClaims(
            UUID(claims["sub"]),
            str(claims["name"]),
            Role(claims["role"]),
            int(claims["tv"]),
            claims["exp"],
            must_change_password=claims.get("mcp") is True,
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The access token has expired; refresh it or sign in again.") from None
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError):
        raise Unauthenticated("The access token is not valid here; sign in.") from None
