"""Addresses good for one download of one artifact, by a machine that a step acts on and that cannot sign in.

Only the hash of a token is kept, so that nobody who reads the database can use it.
"""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from contracts.errors import NotFound
from infra.artifacts import ArtifactStore, StoredArtifact, find_artifact
from infra.direct import direct_statement

TOKEN_BYTES = 32

_ALLOW = text("""
    INSERT INTO artifact_pulls (token_hash, artifact_id, task_id, expires_at)
    VALUES (:hash, :id, :task_id, now() + CAST(:seconds AS float8) * interval '1 second')
""")
_USE = text("""
    UPDATE artifact_pulls SET used_at = now()
     WHERE token_hash = :hash AND used_at IS NULL AND expires_at > now() RETURNING artifact_id
""")


async def allow_pull(store: ArtifactStore, artifact_id: UUID, *, task_id: UUID, within: timedelta) -> str:
    """A token for one download of the artifact."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {
        "hash": _hash(token),
        "id": artifact_id,
        "task_id": task_id,
        "seconds": within.total_seconds(),
    }

    async def insert() -> None:
        async with direct_statement(store.engine) as session:
            await session.execute(_ALLOW, values)

    await store.patiently(insert)
    return token


async def use_pull(store: ArtifactStore, token: str) -> StoredArtifact:
    """What the token was made for, once; raises `NotFound` for one that is unknown, used or too old."""
    async with direct_statement(store.engine) as session:
        artifact_id = await session.scalar(_USE, {"hash": _hash(token)})
        if artifact_id is None:
            raise NotFound("This address is unknown, was used before, or is too old.")
        return await find_artifact(session, artifact_id, project_id=None)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
