"""Where this process opens secrets: credentials and secret parameters, for one attempt at a time."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from infra.database import Sessions
from infra.sealing import PrivateRing, Sealed, bound_to_credential, bound_to_run
from workers.executor import jumps, sealed
from workers.executor.holding import Claimed
from workers.executor.steps.base import JumpHop, OpenedCredential, StepFault


class SealedVault:
    """Implements `surroundings.Vault` over the sealed rows and the private ring."""

    def __init__(self, sessions: Sessions, ring: PrivateRing) -> None:
        self._sessions = sessions
        self._ring = ring

    async def credential(
        self, task: Claimed, *, name: str | None = None, credential_id: UUID | None = None
    ) -> OpenedCredential | None:
        """The credential called `name` or of this id, or the one the claim found, in the clear.

        Raises `SealBroken`, and `StepFault` when it is on hold or there is no such credential. A command of a
        lost worker is gone back to although other machines rejected the credential since: this one had
        accepted it.
        """
        row = task.credential
        if name is not None or credential_id is not None:
            async with self._sessions.begin() as session:
                row = await sealed.use_named_credential(session, task, name=name, credential_id=credential_id)
            if row is None:
                which = f"named {name}" if name else f"with the id {credential_id}"
                raise StepFault("credential_unfit", detail=f"there is no credential {which}")
        if row is None:
            return None
        begun = task.handle is not None
        held = row["held_here"] or (None if begun else row["held_reason"])
        if held:
            raise StepFault("credential_held", acted=begun, detail=held)
        return self.opened(task.project_id, row)

    async def jumps(self, task: Claimed) -> Sequence[JumpHop]:
        """The jump hosts on the way, the nearest to the target first; raises `SealBroken` or `StepFault`."""
        return self.hops(task.project_id, task.jumps, acted=task.handle is not None)

    def hops(
        self, project_id: UUID, rows: Sequence[Mapping[str, Any]], *, acted: bool = False
    ) -> Sequence[JumpHop]:
        """Jump hosts in the order of their rows, opened; raises `SealBroken` or `StepFault`."""
        hops: list[JumpHop] = []
        for row in reversed(rows):
            if problem := jumps.problem_of(row):
                raise StepFault("jump_missing", acted=acted, detail=problem)
            target = jumps.target_view(row["target"], jump=hops[-1] if hops else None)
            hops.append(JumpHop(target=target, credential=self.opened(project_id, row)))
        return hops[::-1]

    def opened(self, project_id: UUID, row: Mapping[str, Any]) -> OpenedCredential:
        """A sealed version in the clear; raises `SealBroken`."""
        bound_to = bound_to_credential(project_id, row["credential_id"], row["credential_version"])
        return OpenedCredential(
            id=row["credential_id"],
            version=row["credential_version"],
            type=row["credential_type"],
            username=row["username"],
            secrets=self._ring.open(_sealed(row), bound_to=bound_to),
        )

    async def parameters(self, run_id: UUID) -> dict[str, str]:
        """The secret parameters of a run in the clear."""
        async with self._sessions() as session:
            rows = await sealed.sealed_parameters(session, run_id)
        return {
            name: value
            for row in rows
            for name, value in self._ring.open(
                _sealed(row), bound_to=bound_to_run(row["sealed_for"], row["name"])
            ).items()
        }


def _sealed(row: Mapping[str, Any]) -> Sealed:
    return Sealed(
        key_id=row["key_id"],
        wrapped_key=row["wrapped_key"],
        nonce=row["nonce"],
        ciphertext=row["ciphertext"],
    )
