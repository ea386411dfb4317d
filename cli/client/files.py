"""Files to and from the server, never whole in memory."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import httpx2

from cli import exits
from cli.client.api import Api
from cli.client.problems import CliError, Unreachable

PIECE_BYTES = 256 * 1024


async def pieces_of(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece


async def store(api: Api, file: Path, name: str | None = None) -> dict[str, Any]:
    """Store a file under its own name or another; what the server says of it."""
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise CliError(f"{file} cannot be read ({error.strerror}).") from error
    params = {"name": name or file.name, "sha256": digest}
    answer = await api.raw("POST", "/api/v1/artifacts", params=params, content=pieces_of(file), timeout=None)
    return dict(answer.json())


async def with_stored_files(api: Api, values: dict[str, Any]) -> dict[str, Any]:
    """The same values with every file of this machine stored, and its id in its place."""
    return {
        name: (await store(api, value))["id"] if isinstance(value, Path) else value
        for name, value in values.items()
    }


async def download(api: Api, path: str, into: BinaryIO, *, sha256: str) -> None:
    """Write a file's content; raises `CliError` when it is not what was stored."""
    digest = hashlib.sha256()
    try:
        async with api.streaming(path) as answer:
            async for piece in answer.aiter_bytes():
                digest.update(piece)
                into.write(piece)
    except httpx2.TransportError as error:
        raise Unreachable(api.url, str(error) or type(error).__name__) from error
    if digest.hexdigest() != sha256:
        raise CliError("What came is not what was stored.", hints=("Try again.",), exit_code=exits.FAILED)
