"""Taking files in and away. No HTTP in here."""

from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

from contracts.errors import NotFound
from contracts.tables.artifacts import ArtifactOrigin, ArtifactRow, ArtifactState
from gateway.artifacts.digests import refuse_other
from gateway.artifacts.queries import get_artifact
from gateway.artifacts.schemas import Upload
from gateway.auditing import audit
from gateway.deps import Actor
from gateway.idempotency import RequestKey, claim_key
from infra.artifacts import ArtifactStore, ArtifactTooLarge, Draft, NewArtifact, Written, finish
from infra.clock import now
from infra.unit_of_work import OpenUnitOfWork, UnitOfWork


async def receive(
    store: ArtifactStore, who: Actor, upload: Upload, body: AsyncIterator[bytes]
) -> tuple[Draft, Written]:
    """The bytes of an upload, stored and not visible yet.

    Raises `ArtifactTooLarge`, and `Invalid` when they do not have the announced hash; nothing stays then.
    """
    if upload.declared is not None and upload.declared > store.max_bytes:
        raise ArtifactTooLarge(store.max_bytes)
    draft = await store.begin(
        NewArtifact(
            project_id=who.project_id,
            name=upload.name,
            content_type=upload.content_type,
            origin=ArtifactOrigin.UPLOAD,
            created_by=who.principal,
        )
    )
    try:
        async for data in body:
            await draft.write(data)
        written = await draft.close()
        refuse_other(upload.sha256, written.sha256)
    except BaseException:
        await give_up(draft)
        raise
    return draft, written


async def give_up(draft: Draft) -> None:
    """What cannot be marked now is found by the caretaker: nobody writes it any more."""
    with suppress(Exception):
        await draft.discard()


async def show(
    open_uow: OpenUnitOfWork,
    who: Actor,
    name: str,
    draft: Draft,
    written: Written,
    *,
    key: RequestKey | None,
) -> ArtifactRow:
    """Make an upload visible; the first one of the same key when this request was sent twice."""
    try:
        async with open_uow() as uow:
            first = await claim_key(uow.session, key, written.id)
            if first is None:
                await _finish(uow, who, name, written)
            row = await get_artifact(uow.session, who.project_id, first or written.id)
    except BaseException:
        await give_up(draft)
        raise
    if first is not None:
        await give_up(draft)
    return row


async def _finish(uow: UnitOfWork, who: Actor, name: str, written: Written) -> None:
    if not await finish(uow.session, written):
        raise NotFound("The upload took so long that it was given up; send it again.")
    said = {"name": name, "size": written.size, "sha256": written.sha256}
    await audit(uow, who, "artifacts.create", "artifact", written.id, **said)


async def delete_artifact(uow: UnitOfWork, who: Actor, artifact_id: UUID) -> None:
    """Nobody sees it from now on; the caretaker removes its bytes."""
    row = await get_artifact(uow.session, who.project_id, artifact_id)
    row.state, row.touched_at = ArtifactState.DELETED.value, now()
    await audit(uow, who, "artifacts.delete", "artifact", row.id, name=row.name)
