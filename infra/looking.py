"""The loop with which every consumer finds its own work when a message was lost."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from contracts.looks import Look
from infra.database import Sessions
from infra.outages import is_outage

LIMIT = 500

log = structlog.get_logger()


class Looker:
    """Runs one look for ever and hands what it finds to the same door that messages come through."""

    def __init__(
        self,
        look: Look,
        sessions: Sessions,
        *,
        found: Callable[[UUID], Awaitable[None]],
        parameters: dict[str, Any] | None = None,
    ) -> None:
        self._look = look
        self._sessions = sessions
        self._found = found
        self._parameters = parameters or {}

    async def look(self) -> int:
        """Look once; how many subjects were found and taken without an error."""
        async with self._sessions() as session:
            rows = await session.execute(text(self._look.sql), {"limit": LIMIT} | self._parameters)
            ids = [row.id for row in rows]
        results = await asyncio.gather(*(self._found(id_) for id_ in ids), return_exceptions=True)
        failed = 0
        for id_, result in zip(ids, results, strict=True):
            if isinstance(result, Exception):
                failed += 1
                log.error("look.failed", look=self._look.message.wire_type, subject=str(id_), exc_info=result)
        return len(ids) - failed

    async def loop(self) -> None:
        """Look every few seconds, jittered, and again at once while there is more than one page."""
        while True:
            await asyncio.sleep(self._look.seconds * random.uniform(0.75, 1.25))  # noqa: S311
            try:
                while await self.look() >= LIMIT:
                    pass
            except Exception as error:
                if not is_outage(error):
                    log.exception("look.failed", look=self._look.message.wire_type)
