"""Copies over WinRM beside raw sends of 370 kB in the same run; the simulated host has its own process.

Raw sends are what the protocol and the login's encryption allow: bytes pushed into a process that only reads
them. A copy reads its file from the artifact store in PostgreSQL (or writes it there), hashes it on both
sides, and moves it into place.
"""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import orjson

from contracts.jobs.steps import WinrmCopy
from contracts.limits import PIECE_BYTES
from contracts.tables.artifacts import ArtifactOrigin
from contracts.tables.base import DEFAULT_PROJECT_ID
from contracts.targets.specs import WinrmSettings
from infra.artifacts import ArtifactStore, Draft, NewArtifact, finish
from infra.database import connect
from infra.direct import direct_transaction
from infra.migrations.run import migrate
from tests.load.report import Row, middle
from tests.load.rows import Bench
from tests.load.surroundings import own_database
from tests.support.outputs import CollectedOutput
from tests.support.windows import a_context
from workers.executor.steps.base import ArtifactInfo, StepContext
from workers.executor.steps.winrm.names import shell_names
from workers.executor.steps.winrm.reaching import Reach
from workers.executor.steps.winrm.transport import WinrmClient
from workers.executor.steps.winrm_copy import WinrmCopyPlugin

ROUNDS = {1: 6, 16: 3, 100: 2}
"""How often each size, in MiB, is copied."""
RAW_SEND_BYTES = 370_000
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Stored:
    """Implements `Artifacts` straight over the store, without a task."""

    store: ArtifactStore

    async def info(self, artifact_id: UUID) -> ArtifactInfo:
        found = await self.store.find(artifact_id, project_id=None)
        return ArtifactInfo(id=found.id, name=found.name, size=found.size, sha256=found.sha256)

    async def resolve(self, src: str) -> ArtifactInfo:
        return await self.info(UUID(src))

    async def read(self, artifact_id: UUID, *, offset: int = 0) -> AsyncIterator[bytes]:
        found = await self.info(artifact_id)
        async for piece in self.store.read(artifact_id, found.size, start=offset):
            yield piece

    async def create(self, name: str) -> "StoredWriter":
        new = NewArtifact(
            project_id=DEFAULT_PROJECT_ID,
            name=name,
            content_type="application/octet-stream",
            origin=ArtifactOrigin.UPLOAD,
            created_by="load",
        )
        return StoredWriter(self, await self.store.begin(new))

    async def pull_url(self, artifact_id: UUID) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class StoredWriter:
    artifacts: Stored
    draft: Draft

    async def write(self, data: bytes) -> None:
        await self.draft.write(data)

    async def finish(self, *, sha256: str | None = None) -> ArtifactInfo:
        written = await self.draft.close()
        if sha256 not in (None, written.sha256):
            raise RuntimeError("the copy came back with another hash")
        async with direct_transaction(self.artifacts.store.engine) as session:
            await finish(session, written)
        return await self.artifacts.info(written.id)

    async def discard(self) -> None:
        await self.draft.discard()


@asynccontextmanager
async def windows_process() -> AsyncIterator[tuple[WinrmSettings, str, str]]:
    """A simulated host in a process of its own; its settings, user and password."""
    user, password = "load", secrets.token_hex(12)
    environment = os.environ | {"OPS_SANDBOX_USERNAME": user, "OPS_SANDBOX_PASSWORD": password}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.sandbox", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = orjson.loads(await process.stdout.readline())["windows"]["http_port"]
        yield WinrmSettings(scheme="http", port=port, transport="ntlm"), user, password
    finally:
        process.terminate()
        await process.wait()


async def raw(context: StepContext, content: bytes) -> float:
    """MB/s of nothing but sends."""
    reach = Reach(threads=4)
    command, control = reach.connections(context, 60)
    try:
        names = shell_names(context)
        shell, running = await reach.gated_command(command, names, "powershell", ("-Command", "-"))
        began = time.perf_counter()
        for at in range(0, len(content), RAW_SEND_BYTES):
            piece = content[at : at + RAW_SEND_BYTES]
            await command.run(WinrmClient.send, shell, running, piece, end=False)
        seconds = time.perf_counter() - began
        await command.run(WinrmClient.delete_shell, shell)
    finally:
        await command.drop()
        await control.drop()
        reach.close()
    return len(content) / seconds / MEGABYTE


async def copied(plugin: WinrmCopyPlugin, context: StepContext, spec: WinrmCopy) -> tuple[float, str]:
    """MB/s from asking for the copy to its verified end, and the artifact it brought back."""
    context = replace(context, task_id=uuid4(), output=CollectedOutput())
    began = time.perf_counter()
    attempt = await plugin.start(spec, context)
    outcome = await attempt.follow()
    seconds = time.perf_counter() - began
    await attempt.release()
    if outcome.outcome != "succeeded" or not outcome.outputs["changed"]:
        raise RuntimeError(f"{outcome}")
    return outcome.outputs["bytes"] / seconds / MEGABYTE, outcome.outputs.get("artifact", "")


async def copies(bench: Bench) -> AsyncIterator[Row]:
    """Copy rates by size, up and down."""
    async with own_database(bench.pair, bench.folder) as url, windows_process() as (settings, user, password):
        engine = connect(url, name="load")
        plugin = WinrmCopyPlugin(threads=8)
        try:
            await migrate(engine)
            artifacts = Stored(ArtifactStore(engine, max_bytes=1 << 30))
            context = a_context(settings, CollectedOutput(), username=user, password=password)
            context = replace(context, artifacts=artifacts)
            for mebibytes in ROUNDS:
                for row in await _one_size(plugin, context, artifacts, mebibytes):
                    yield row
        finally:
            await plugin.close()
            await engine.dispose()


async def _one_size(
    plugin: WinrmCopyPlugin, context: StepContext, artifacts: Stored, mebibytes: int
) -> list[Row]:
    up, down, sends = [], [], []
    for number in range(ROUNDS[mebibytes]):
        content = os.urandom(mebibytes * PIECE_BYTES)
        writer = await artifacts.create("load.bin")
        await writer.write(content)
        stored = await writer.finish()
        path = rf"C:\Temp\{mebibytes}-{number}.bin"
        sent, _ = await copied(plugin, context, WinrmCopy(type="winrm.copy", src=str(stored.id), dest=path))
        back = WinrmCopy(type="winrm.copy", direction="download", src=path)
        fetched, artifact = await copied(plugin, context, back)
        if (await artifacts.info(UUID(artifact))).sha256 != stored.sha256:
            raise RuntimeError("what came back is not what was sent")
        if number or mebibytes > 1:  # the very first round warms up
            up.append(sent)
            down.append(fetched)
            sends.append(await raw(context, content))
    return [
        Row(
            name=f"winrm.copy {mebibytes} MiB {direction}; beside it raw sends of 370 kB",
            unit="MB/s",
            ours=middle(rates),
            baseline=middle(sends),
            wanted="ratio ≥ 0.8" if mebibytes > 1 else "",
        )
        for direction, rates in (("up", up), ("down", down))
    ]
