"""Where this process opens secrets: credentials and secret parameters, for one attempt at a time."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from infra.database import Sessions
from infra.sealing import PrivateRing, Sealed, bound_to_credential, bound_to_run
from workers.executor import store
from workers.executor.steps.base import OpenedCredential, StepFault
from workers.executor.store import Claimed


class SealedVault:
    """Implements `running.Vault` over the sealed rows and the private ring."""

    def __init__(self, sessions: Sessions, ring: PrivateRing) -> None:
        self._sessions = sessions
        self._ring = ring

    async def credential(self, task: Claimed) -> OpenedCredential | None:
        """The target's credential in the clear; raises `SealBroken`, or `StepFault` when it is on hold."""
        row = task.credential
        if row is None:
            return None
        if row["held_reason"]:
            raise StepFault("auth_rejected", detail=f"the credential is on hold: {row['held_reason']}")
        bound_to = bound_to_credential(task.project_id, row["credential_id"], row["credential_version"])
        secrets = self._ring.open(_sealed(row), bound_to=bound_to)
        return OpenedCredential(
            id=row["credential_id"],
            version=row["credential_version"],
            type=row["credential_type"],
            username=row["username"],
            secrets=secrets,
        )

    async def parameters(self, run_id: UUID) -> dict[str, str]:
        """The secret parameters of a run in the clear."""
        async with self._sessions() as session:
            rows = await store.sealed_parameters(session, run_id)
        return {
            name: value
            for row in rows
            for name, value in self._ring.open(
                _sealed(row), bound_to=bound_to_run(run_id, row["name"])
            ).items()
        }


def _sealed(row: Mapping[str, Any]) -> Sealed:
    return Sealed(
        key_id=row["key_id"],
        wrapped_key=row["wrapped_key"],
        nonce=row["nonce"],
        ciphertext=row["ciphertext"],
    )
