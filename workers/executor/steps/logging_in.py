"""Whose turn it is to log in: what plug-ins ask before they try a credential."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol
from uuid import UUID

from workers.executor.steps.base import OpenedCredential, TargetView


class Logins(Protocol):
    """Who may log in where while nobody knows whether a credential is good there (docs/decisions/0009)."""

    def first(
        self, target: TargetView, credential: OpenedCredential, *, run_id: UUID | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Goes around one login: waits for its turn, and hears by its `StepFault` how it ended.

        Raises `StepFault("credential_held")` where the credential was rejected meanwhile. A rejection is
        written before the next one gets its turn. `run_id` is on whose behalf it is tried.
        """


class NobodyElse:
    """Implements `Logins` where nobody else logs in."""

    @asynccontextmanager
    async def first(
        self, _target: TargetView, _credential: OpenedCredential, *, run_id: UUID | None = None
    ) -> AsyncIterator[None]:
        yield
