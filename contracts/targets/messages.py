"""Orders about targets. They carry ids; the truth is in the tables."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.jobs.steps import POOL_PATTERN
from contracts.messages import Command


class TestConnection(Command):
    """Carry out this requested connection test from an executor of its target's pool."""

    __test__: ClassVar[bool] = False
    wire_type: ClassVar[str] = "targets.test-connection.v1"

    test_id: UUID
    pool: Annotated[str, Field(pattern=POOL_PATTERN)]

    @property
    def routing_key(self) -> str:
        return f"{self.wire_type}.{self.pool}"
