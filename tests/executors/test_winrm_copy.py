"""What `winrm.copy` promises, against a simulated host with a disk of its own."""

import asyncio
import base64
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.jobs.steps import WinrmCopy
from infra.sandbox.windows import WindowsHost
from tests.support.artifacts import MemoryArtifacts
from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.windows import PATIENT, a_context, ntlm_over_http
from workers.executor.steps.base import Attempt, Progress, StepContext, StepFault, StepOutcome
from workers.executor.steps.winrm_copy import WinrmCopyPlugin
from workers.executor.steps.winrm_copy.peer import SEND_STEPS, Peer, SendSize

CONTENT = os.urandom(1_500_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
DEST = r"C:\Temp\app.bin"
HOSTILE = (
    r"C:\Temp\with space & (brackets) 'quote' $env_x `tick`.bin",
    r"C:\Temp\größe 日本語 😀.bin",
    r"C:\Temp\%PATH%!x!;[a].txt",
    r"C:/Temp/forward.bin",
    "C:\\Temp\\" + "\\".join(["deep" * 20] * 5) + "\\long.bin",
)


@dataclass
class Copier:
    """A plug-in, an artifact store in memory, and a host with a disk."""

    host: WindowsHost
    plugin: WinrmCopyPlugin = field(default_factory=lambda: WinrmCopyPlugin(threads=8, limits=PATIENT))
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    progress: list[Progress] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    task_id: UUID = field(default_factory=uuid4)

    def spec(self, **fields: Any) -> WinrmCopy:
        return WinrmCopy.model_validate({"type": "winrm.copy", "dest": DEST} | fields)

    def context(self, **changes: Any) -> StepContext:
        context = a_context(ntlm_over_http(self.host), CollectedOutput(), artifacts=self.artifacts)
        return replace(context, task_id=self.task_id, report=self.progress.append, **changes)

    async def start(self, spec: WinrmCopy, **changes: Any) -> Attempt:
        attempt = await self.plugin.start(spec, self.context(**changes))
        self.attempts.append(attempt)
        return attempt

    async def run(self, **fields: Any) -> StepOutcome:
        attempt = await self.start(self.spec(**fields))
        try:
            return await attempt.follow()
        finally:
            await attempt.release()

    async def upload(self, content: bytes = CONTENT, **fields: Any) -> StepOutcome:
        return await self.run(src=str(self.artifacts.put(content).id), **fields)

    async def download(self, path: str, **fields: Any) -> StepOutcome:
        return await self.run(direction="download", src=path, **({"dest": None} | fields))

    def file(self, name: str = DEST) -> Path:
        return self.host.disk.path(name)

    def beside(self, name: str = DEST) -> list[str]:
        """What lies in the folder of `name`."""
        return sorted(path.name for path in self.file(name).parent.iterdir())

    async def cause(self, **fields: Any) -> str:
        with pytest.raises(StepFault) as fault:
            await (self.download(**fields) if "path" in fields else self.upload(**fields))
        assert not self.host.shells
        return fault.value.cause.code


@pytest.fixture
async def copier(windows_host: WindowsHost) -> AsyncIterator[Copier]:
    copier = Copier(windows_host)
    yield copier
    for attempt in copier.attempts:
        await attempt.detach()
    await copier.plugin.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of every piece given to a process."""
    sizes: list[int] = []
    send = Peer.send

    async def counted(self: Peer, data: bytes) -> None:
        await send(self, data)
        sizes.append(len(data))

    monkeypatch.setattr(Peer, "send", counted)
    return sizes


@pytest.mark.parametrize("size", [0, 1, 99_999, 370_001, len(CONTENT)])
async def test_a_file_goes_there_and_back_byte_for_byte(copier: Copier, size: int) -> None:
    content = CONTENT[:size]

    up = await copier.upload(content)
    down = await copier.download(DEST)

    sha256 = hashlib.sha256(content).hexdigest()
    assert up.outputs == {"path": DEST, "sha256": sha256, "bytes": size, "changed": True}
    assert copier.file().read_bytes() == content
    assert copier.artifacts.content(down.outputs["artifact"]) == content
    assert (down.outputs["sha256"], down.outputs["bytes"]) == (sha256, size)
    assert copier.beside() == ["app.bin"]
    assert copier.host.shells == {}


@pytest.mark.parametrize("path", HOSTILE)
async def test_a_path_is_data_whatever_it_holds(copier: Copier, path: str) -> None:
    copier.file(path).parent.mkdir(parents=True, exist_ok=True)

    up = await copier.upload(dest=path)
    down = await copier.download(path)

    assert up.outcome == "succeeded"
    assert copier.artifacts.content(down.outputs["artifact"]) == CONTENT


async def test_a_parameter_in_a_path_travels_as_data(copier: Copier) -> None:
    source = copier.artifacts.put(b"x")
    spec = copier.spec(src=str(source.id), dest=r"C:\Temp\{{ name }}.txt")

    attempt = await copier.start(spec, parameters={"name": "a'; $(evil) {{ name }}"})
    await attempt.follow()

    assert copier.file(r"C:\Temp\a'; $(evil) {{ name }}.txt").read_bytes() == b"x"


async def test_a_small_file_can_stand_in_the_step_itself(copier: Copier) -> None:
    up = await copier.run(content_base64=base64.b64encode(b"key: value\r\n").decode())

    assert copier.file().read_bytes() == b"key: value\r\n"
    assert up.outputs["bytes"] == 12
    with pytest.raises(StepFault, match="step_invalid"):
        await copier.run(content_base64="no base64!")


async def test_the_same_file_again_is_left_alone_and_hardly_anything_is_sent(
    copier: Copier, sent: list[int]
) -> None:
    await copier.upload()
    before = copier.file().stat().st_mtime_ns
    sent.clear()

    again = await copier.upload()

    assert again.outputs["changed"] is False
    assert copier.file().stat().st_mtime_ns == before
    assert sum(sent) < 64_000


async def test_a_file_of_the_same_size_but_other_bytes_is_replaced(copier: Copier) -> None:
    await copier.upload()
    other = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])

    assert (await copier.upload(other)).outputs["changed"] is True
    assert copier.file().read_bytes() == other


@pytest.mark.parametrize("knob", ["drop_after_send", "drop_in_receive", "drop_after_command"])
async def test_a_dropped_connection_costs_no_byte_and_no_run(copier: Copier, knob: str) -> None:
    attempt = await copier.start(copier.spec(src=str(copier.artifacts.put(CONTENT).id)))
    setattr(copier.host.knobs, knob, 2)

    outcome = await attempt.follow()

    assert outcome.outputs["changed"] is True
    assert copier.file().read_bytes() == CONTENT
    assert copier.beside() == ["app.bin"]


async def test_a_copy_that_broke_off_goes_on_where_it_stopped(copier: Copier, sent: list[int]) -> None:
    side = copier.file(f"{DEST}.ops-{copier.task_id.hex}.part")
    side.parent.mkdir(parents=True, exist_ok=True)
    side.write_bytes(CONTENT[:1_200_000])

    await copier.upload()

    assert copier.file().read_bytes() == CONTENT
    assert sum(sent) < 400_000
    assert min(progress.done for progress in copier.progress) == 1_200_000


async def test_a_half_written_file_with_other_bytes_is_not_built_upon(copier: Copier) -> None:
    side = copier.file(f"{DEST}.ops-{copier.task_id.hex}.part")
    side.parent.mkdir(parents=True, exist_ok=True)
    side.write_bytes(b"\0" * 1_200_000)

    await copier.upload()

    assert copier.file().read_bytes() == CONTENT


async def test_a_download_that_broke_off_goes_on_where_it_stopped(copier: Copier) -> None:
    await copier.upload()
    attempt = await copier.start(copier.spec(direction="download", src=DEST, dest="back.bin"))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: any(progress.done for progress in copier.progress[-1:]))
    await copier.host.drop_connections()

    outcome = await following

    assert copier.artifacts.content(outcome.outputs["artifact"]) == CONTENT


@pytest.mark.provokes("hash_mismatch")
async def test_what_arrives_spoilt_is_refused_and_the_former_file_stays(copier: Copier) -> None:
    await copier.upload(b"former")
    copier.host.disk.spoils = 1

    assert await copier.cause() == "hash_mismatch"

    assert copier.file().read_bytes() == b"former"
    assert copier.beside() == ["app.bin"]


async def test_a_download_that_arrives_spoilt_becomes_no_artifact(copier: Copier) -> None:
    await copier.upload()
    known = set(copier.artifacts.contents)
    copier.host.disk.spoils = 1

    assert await copier.cause(path=DEST) == "hash_mismatch"

    assert set(copier.artifacts.contents) == known


@pytest.mark.provokes("path_missing", "not_a_file", "not_a_directory", "path_invalid", "path_denied")
@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"dest": r"C:\Nowhere\a.bin"}, "path_missing"),
        ({"dest": r"C:\Temp"}, "not_a_file"),
        ({"dest": "C:\\Temp\\new\\"}, "not_a_file"),
        ({"dest": r"C:\Temp\file.txt\a.bin"}, "not_a_directory"),
        ({"dest": r"relative\a.bin"}, "path_invalid"),
        ({"dest": r"C:\Temp\a?b.bin"}, "path_invalid"),
        ({"dest": r"C:\Users\a.bin"}, "path_denied"),
        ({"path": r"C:\Temp\nothing.bin"}, "path_missing"),
        ({"path": r"C:\Temp"}, "not_a_file"),
        ({"path": r"C:\Temp\file.txt", "directory": True}, "not_a_directory"),
        ({"dest": r"C:\Temp\file.txt", "directory": True}, "not_a_directory"),
        ({"transfer": "pull"}, "step_invalid"),
    ],
)
async def test_what_cannot_be_done_has_a_cause_and_leaves_nothing(
    copier: Copier, fields: dict[str, Any], cause: str
) -> None:
    copier.file(r"C:\Temp\file.txt").write_bytes(b"")
    copier.host.disk.denied.add(r"C:\Users")

    assert await copier.cause(**fields) == cause

    assert copier.beside() == ["file.txt"]


@pytest.mark.provokes("disk_full")
async def test_a_full_disk_is_found_out_before_anything_is_sent(copier: Copier, sent: list[int]) -> None:
    copier.host.disk.free = len(CONTENT) - 1

    assert await copier.cause() == "disk_full"

    assert sum(sent) < 64_000
    assert copier.beside() == []


@pytest.mark.provokes("artifact_too_large")
async def test_a_download_over_the_limit_is_refused(copier: Copier) -> None:
    await copier.upload()
    copier.artifacts.max_bytes = 1_000

    assert await copier.cause(path=DEST) == "artifact_too_large"

    assert copier.artifacts.discarded == 1


async def test_a_folder_that_is_too_large_leaves_no_archive_behind(copier: Copier) -> None:
    copier.file(r"C:\Temp\app").mkdir()
    copier.file(r"C:\Temp\app\a.bin").write_bytes(CONTENT)
    copier.artifacts.max_bytes = 1_000

    assert await copier.cause(path=r"C:\Temp\app", directory=True) == "artifact_too_large"

    assert copier.beside() == ["app"]


async def test_a_cancelled_copy_leaves_neither_file_nor_shell(copier: Copier) -> None:
    copier.host.knobs.delay = 0.02
    await copier.upload(b"former")
    attempt = await copier.start(copier.spec(src=str(copier.artifacts.put(CONTENT * 10).id)))
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: any(f.endswith(".part") for f in copier.beside()))
    assert copier.file().read_bytes() == b"former"

    assert await attempt.stop()

    assert (await following).outcome == "failed"
    assert copier.beside() == ["app.bin"]
    assert copier.file().read_bytes() == b"former"
    assert copier.host.shells == {}


async def test_a_stop_after_the_end_finds_the_copy_done(copier: Copier) -> None:
    attempt = await copier.start(copier.spec(src=str(copier.artifacts.put(CONTENT).id)))
    outcome = await attempt.follow()

    assert await attempt.stop()

    assert outcome.outcome == "succeeded"
    assert copier.file().read_bytes() == CONTENT
    assert copier.host.shells == {}


async def test_another_executor_goes_on_with_what_a_killed_one_began(copier: Copier, sent: list[int]) -> None:
    spec = copier.spec(src=str(copier.artifacts.put(CONTENT * 4).id))
    copier.host.knobs.delay = 0.01
    lost = await copier.start(spec)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: sum(sent) > 2_000_000)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    handle = dict(lost.handle)
    sent.clear()

    attempt = await copier.plugin.resume(spec, copier.context(), handle)
    outcome = await attempt.follow()
    await attempt.release()

    assert outcome.outputs["changed"] is True
    assert copier.file().read_bytes() == CONTENT * 4
    assert sum(sent) < 5_000_000
    assert copier.beside() == ["app.bin"]
    assert copier.host.shells == {}


async def test_nothing_acts_before_it_is_followed(copier: Copier) -> None:
    attempt = await copier.start(copier.spec(src=str(copier.artifacts.put(CONTENT).id)))

    await attempt.release()

    assert copier.beside() == []
    assert copier.host.shells == {}


async def test_a_host_that_takes_only_small_messages_gets_small_ones(copier: Copier, sent: list[int]) -> None:
    copier.host.knobs.envelope_bytes = 150_000

    outcome = await copier.upload()

    assert outcome.outputs["changed"] is True
    assert copier.file().read_bytes() == CONTENT


def test_sends_grow_until_the_host_refuses_and_stay_below_from_then_on() -> None:
    size = SendSize()
    assert size.bytes == SEND_STEPS[1]
    size.taken()
    assert size.bytes == SEND_STEPS[2]
    assert size.refused()
    size.taken()
    assert size.bytes == SEND_STEPS[1]
    assert size.refused()
    assert not size.refused()


@pytest.mark.provokes("script_not_run")
async def test_a_script_that_forbids_copying_is_told_apart_from_a_lost_connection(
    copier: Copier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.steps.winrm_copy.peer.COPY_SCRIPT", "# something else\n")

    assert await copier.cause() == "script_not_run"


# -- folders


def _zip(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


async def test_a_folder_goes_there_and_back(copier: Copier) -> None:
    archive = _zip(**{"a.txt": b"a", "sub/b.txt": b"b" * 1_000})

    first = await copier.upload(archive, dest=r"C:\Temp\app", directory=True)
    again = await copier.upload(archive, dest=r"C:\Temp\app", directory=True)
    down = await copier.download(r"C:\Temp\app", directory=True)

    assert (first.outputs["changed"], again.outputs["changed"]) == (True, False)
    assert copier.file(r"C:\Temp\app\sub\b.txt").read_bytes() == b"b" * 1_000
    with zipfile.ZipFile(io.BytesIO(copier.artifacts.content(down.outputs["artifact"]))) as back:
        assert back.read("sub/b.txt") == b"b" * 1_000
    assert copier.beside() == ["app"]


async def test_a_folder_may_be_written_with_its_last_backslash(copier: Copier) -> None:
    await copier.upload(_zip(**{"a.txt": b"a"}), dest="C:\\Temp\\app\\", directory=True)

    assert copier.file(r"C:\Temp\app\a.txt").read_bytes() == b"a"
    assert copier.beside() == ["app"]


@pytest.mark.provokes("archive_invalid")
@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "..\\evil.txt", "C:/evil.txt"])
async def test_an_archive_that_leads_outside_is_refused_whole(copier: Copier, name: str) -> None:
    archive = _zip(**{"fine.txt": b"fine", name: b"evil"})

    assert await copier.cause(content=archive, dest=r"C:\Temp\app", directory=True) == "archive_invalid"

    assert not any(copier.file(r"C:\Temp").rglob("*.txt"))


def _tar(*members: tuple[str, bytes | None], mode: str = "w:gz") -> bytes:
    """Files, and a symbolic link where there are no bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content or b"")
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member, io.BytesIO(content or b""))
    return packed.getvalue()


@pytest.mark.parametrize("mode", ["w:gz", "w"])
async def test_a_tar_archive_is_unpacked_like_a_zip(copier: Copier, mode: str) -> None:
    archive = _tar(("./a.txt", b"a"), ("sub/größe.bin", CONTENT), mode=mode)

    first = await copier.upload(archive, dest=r"C:\Temp\app", directory=True)
    again = await copier.upload(archive, dest=r"C:\Temp\app", directory=True)

    assert (first.outputs["changed"], again.outputs["changed"]) == (True, False)
    assert first.outputs["sha256"] == again.outputs["sha256"]
    assert copier.file(r"C:\Temp\app\a.txt").read_bytes() == b"a"
    assert copier.file(r"C:\Temp\app\sub\größe.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "archive",
    [
        _tar(("../evil.txt", b"evil")),
        _tar(("/evil.txt", b"evil")),
        _tar(("link", None)),
        _tar(("a.txt", CONTENT))[:50_000],
    ],
    ids=["outside", "absolute", "link", "cut off"],
)
async def test_a_tar_archive_with_what_must_not_be_unpacked_is_refused(
    copier: Copier, archive: bytes
) -> None:
    assert await copier.cause(content=archive, dest=r"C:\Temp\app", directory=True) == "archive_invalid"

    assert copier.beside() == []


async def test_an_archive_that_would_fill_the_disk_is_not_unpacked(copier: Copier) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.bin", bytes(10_000_000))
    copier.host.disk.free = 1_000_000

    assert await copier.cause(content=packed.getvalue(), dest=r"C:\Temp\app", directory=True) == "disk_full"

    assert copier.beside() == []


async def test_what_is_no_archive_is_refused(copier: Copier) -> None:
    assert await copier.cause(dest=r"C:\Temp\app", directory=True) == "archive_invalid"


# -- fetched by the target


@pytest.fixture
async def server(copier: Copier) -> AsyncIterator[list[str]]:
    """Serves the artifacts over HTTP, each address as often as asked; the requests it got."""
    requests: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        requests.append(head)
        content = copier.artifacts.content(head.split(" ")[1].lstrip("/"))
        start = int(head.partition("bytes=")[2].partition("-")[0] or 0)
        body = content[start:]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    copier.artifacts.public_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield requests
    listening.close()
    await listening.wait_closed()


async def test_the_target_fetches_the_file_itself_when_told_to(
    copier: Copier, server: list[str], sent: list[int]
) -> None:
    outcome = await copier.upload(transfer="pull")

    assert outcome.outputs["changed"] is True
    assert copier.file().read_bytes() == CONTENT
    assert (len(server), sum(sent) < 64_000) == (1, True)


async def test_what_the_target_fetched_is_verified_too(copier: Copier, server: list[str]) -> None:
    copier.host.disk.spoils = 1

    assert await copier.cause(transfer="pull") == "hash_mismatch"
    assert copier.beside() == []


@pytest.mark.provokes("pull_failed")
async def test_a_target_that_cannot_fetch_gets_it_sent_unless_told_otherwise(
    copier: Copier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.steps.winrm_copy.plugin.PULL_FROM_BYTES", 1_000)
    copier.artifacts.public_url = "http://127.0.0.1:9"

    assert await copier.cause(transfer="pull") == "pull_failed"
    assert (await copier.upload()).outputs["changed"] is True
    assert copier.file().read_bytes() == CONTENT
