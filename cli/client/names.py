"""Names for the shell to complete: asked of the current server, quickly or not at all."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cli.client.command import connected
from cli.client.contexts import Contexts

SECONDS = 2.0
MOST = 200
Completer = Callable[[str], list[Any]]


def context_names(incomplete: str) -> list[str]:
    return [context.name for context in Contexts().all() if context.name.startswith(incomplete)]


def _of(path: str, field: str, told: Callable[[dict[str, Any]], str] | None = None) -> Completer:
    def complete(incomplete: str) -> list[Any]:
        found: list[dict[str, Any]] = []
        with suppress(Exception):  # a shell that completes is no place for words about errors
            found = asyncio.run(_asked(path))
        return [
            (str(item[field]), told(item)) if told else str(item[field])
            for item in found
            if str(item[field]).startswith(incomplete)
        ]

    return complete


async def _asked(path: str) -> list[dict[str, Any]]:
    async with asyncio.timeout(SECONDS), connected(None, None) as api:
        return await api.pages(path, at_most=MOST)


job_names = _of("/api/v1/jobs", "name")
target_names = _of("/api/v1/targets", "name")
credential_names = _of("/api/v1/credentials", "name")
run_ids = _of("/api/v1/runs", "id", lambda run: f"{run['job_name']} {run['status']}")
