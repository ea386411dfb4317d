"""Files arrive whole or not at all, are brought only when they differ, and go on where they stopped."""

import asyncio
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pytest

from contracts.jobs.steps import SshCopy
from tests.support.accounts import can_make_accounts, throw_away_account
from tests.support.artifacts import MemoryArtifacts
from tests.support.eventually import PATIENCE
from tests.support.ssh import Reachable, real_sshd, sshd_is_installed
from workers.executor.steps.base import Progress, StepContext, StepFault, StepOutcome
from workers.executor.steps.ssh_copy import SshCopyPlugin, peer
from workers.executor.steps.ssh_copy.text import COPY
from workers.executor.steps.ssh_exec.links import Sftp
from workers.executor.steps.ssh_exec.shell_text import ShellText

BIG = 9 * 1024 * 1024 + 17


@dataclass
class Bench:
    """A host, an artifact store and a plug-in."""

    host: Reachable
    plugin: SshCopyPlugin
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    told: list[Progress] = field(default_factory=list)

    def context(self, **changes: object) -> StepContext:
        context = self.host.context(artifacts=self.artifacts, report=self.told.append)
        return replace(context, **changes)  # type: ignore[arg-type]

    def bring(self, content: bytes, dest: Path | str, **options: object) -> SshCopy:
        return copy_step(src=str(self.artifacts.put(content).id), dest=str(dest), **options)

    async def run(self, spec: SshCopy, context: StepContext | None = None) -> StepOutcome:
        attempt = await self.plugin.start(spec, context or self.context())
        try:
            return await attempt.follow()
        finally:
            await attempt.release()

    async def fails(self, spec: SshCopy) -> str:
        with pytest.raises(StepFault) as fault:
            await self.run(spec)
        return fault.value.cause.code

    def files(self) -> list[str]:
        return sorted(path.name for path in self.host.home.iterdir())


def copy_step(**options: object) -> SshCopy:
    return SshCopy.model_validate({"type": "ssh.copy", **options})


@pytest.fixture
async def bench(host: Reachable) -> AsyncIterator[Bench]:
    plugin = SshCopyPlugin()
    yield Bench(host, plugin)
    await plugin.close()


@pytest.fixture
async def small(demo: Reachable) -> AsyncIterator[Bench]:
    plugin = SshCopyPlugin()
    yield Bench(demo, plugin)
    await plugin.close()


@pytest.mark.parametrize("size", [0, 1, 70_000, BIG])
async def test_a_file_arrives_as_it_is_and_nothing_else_stays(bench: Bench, size: int) -> None:
    content = os.urandom(size)
    dest = bench.host.home / "it's a file; $(x).bin"

    outcome = await bench.run(bench.bring(content, dest))

    assert outcome.outcome == "succeeded"
    assert dest.read_bytes() == content
    assert outcome.outputs == {
        "path": str(dest),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": size,
        "changed": True,
    }
    assert bench.files() == [dest.name]
    assert (bench.told[-1].done, bench.told[-1].total) == (size, size)


async def test_what_is_there_already_is_left_alone(bench: Bench) -> None:
    dest = bench.host.home / "same"
    dest.write_bytes(b"content")
    before = dest.stat().st_ino

    outcome = await bench.run(bench.bring(b"content", dest))

    assert outcome.outputs["changed"] is False
    assert dest.stat().st_ino == before
    assert bench.files() == ["same"]


async def test_permissions_are_kept_or_set_as_asked(bench: Bench) -> None:
    home = bench.host.home
    (home / "old").write_bytes(b"old")
    (home / "old").chmod(0o640)

    await bench.run(bench.bring(b"new!", home / "old"))
    await bench.run(bench.bring(b"tool", home / "tool", mode="0755"))
    await bench.run(bench.bring(b"plain", home / "plain"))
    again = await bench.run(bench.bring(b"plain", home / "plain", mode="600"))

    modes = {name: (home / name).stat().st_mode & 0o777 for name in ("old", "tool", "plain")}
    assert modes == {"old": 0o640, "tool": 0o755, "plain": 0o600}
    assert again.outputs["changed"] is True


async def test_a_small_file_may_come_with_the_step_itself(bench: Bench) -> None:
    dest = bench.host.home / "inline"

    await bench.run(
        copy_step(content_base64="aGVsbG8K", dest="{{ place }}"),
        bench.context(parameters={"place": str(dest)}),
    )

    assert dest.read_bytes() == b"hello\n"


async def test_what_an_earlier_attempt_brought_is_gone_on_with(bench: Bench) -> None:
    content, dest = os.urandom(BIG), bench.host.home / "big"
    context = bench.context()
    half = bench.host.home / f".ops-{context.task_id.hex}"
    half.write_bytes(content[: BIG // 2])
    os.chown(half, bench.host.home.stat().st_uid, -1)

    await bench.run(bench.bring(content, dest), context)

    assert dest.read_bytes() == content
    assert bench.told[0].done == BIG // 2


async def test_what_lies_there_and_does_not_fit_is_thrown_away(bench: Bench) -> None:
    content, dest = os.urandom(BIG), bench.host.home / "big"
    context = bench.context()
    for left in (b"something else", b"x" * (BIG + 1)):
        half = bench.host.home / f".ops-{context.task_id.hex}"
        half.write_bytes(left)
        os.chown(half, bench.host.home.stat().st_uid, -1)

        await bench.run(bench.bring(content, dest), context)

        assert dest.read_bytes() == content
        dest.unlink()


async def test_a_cut_connection_goes_on_where_it_stopped(bench: Bench) -> None:
    content, dest = os.urandom(3 * BIG), bench.host.home / "big"
    cut: list[int] = []

    def report(progress: Progress) -> None:
        bench.told.append(progress)
        if len(cut) < 2 and progress.done > BIG * len(cut) and 0 < progress.done < 3 * BIG:
            cut.append(progress.done)
            for endpoint in bench.plugin._connections._endpoints.values():
                for link in list(endpoint.links):
                    link.connection.abort()

    outcome = await bench.run(bench.bring(content, dest), replace(bench.context(), report=report))

    assert outcome.outcome == "succeeded"
    assert dest.read_bytes() == content
    assert len(cut) == 2
    resumed = [progress.done for progress in bench.told if progress.done]
    assert resumed == sorted(resumed)


async def test_another_worker_finishes_what_a_lost_one_began(bench: Bench) -> None:
    content, dest = os.urandom(2 * BIG), bench.host.home / "big"
    context, spec, began = bench.context(), bench.bring(content, dest), asyncio.Event()
    lost = await bench.plugin.start(spec, replace(context, report=lambda p: began.set() if p.done else None))
    following = asyncio.create_task(lost.follow())
    await began.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await lost.detach()

    attempt = await bench.plugin.resume(spec, context, lost.handle)
    outcome = await attempt.follow()
    await attempt.release()

    assert outcome.outcome == "succeeded"
    assert dest.read_bytes() == content
    assert bench.files() == ["big"]


async def test_stop_leaves_the_old_file_and_nothing_half_written(bench: Bench) -> None:
    dest, began = bench.host.home / "old", asyncio.Event()
    dest.write_bytes(b"old")
    context = replace(bench.context(), report=lambda p: began.set() if p.done else None)
    attempt = await bench.plugin.start(bench.bring(os.urandom(8 * BIG), dest), context)
    following = asyncio.create_task(attempt.follow())
    await began.wait()

    assert await attempt.stop()

    assert (await following).outcome == "failed"
    await attempt.release()
    assert dest.read_bytes() == b"old"
    assert bench.files() == ["old"]


@pytest.mark.parametrize("size", [0, 70_000, BIG])
async def test_a_file_is_brought_back_as_an_artifact(bench: Bench, size: int) -> None:
    content = os.urandom(size)
    (bench.host.home / "report.bin").write_bytes(content)

    outcome = await bench.run(copy_step(direction="download", src=f"{bench.host.home}/report.bin"))

    info, stored = bench.artifacts.contents[UUID(outcome.outputs["artifact"])]
    assert (info.name, stored) == ("report.bin", content)
    assert outcome.outputs["sha256"] == hashlib.sha256(content).hexdigest()


async def test_a_file_that_grows_is_brought_back_as_it_was(bench: Bench) -> None:
    log = bench.host.home / "log"
    log.write_bytes(b"x" * BIG)

    def grow(_progress: Progress) -> None:
        with log.open("ab") as file:
            file.write(b"more")

    outcome = await bench.run(
        copy_step(direction="download", src=str(log)), replace(bench.context(), report=grow)
    )

    assert bench.artifacts.content(outcome.outputs["artifact"]) == b"x" * BIG


def tar_of(**names: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in names.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def zip_of(**names: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [tar_of, zip_of])
async def test_an_archive_becomes_a_folder_and_a_folder_an_archive(bench: Bench, pack: object) -> None:
    home = bench.host.home
    archive = pack(**{"a.txt": b"a", "sub/b c.txt": b"b"})  # type: ignore[operator]

    await bench.run(bench.bring(archive, home / "site", directory=True))
    (home / "site" / "kept").write_bytes(b"kept")
    await bench.run(bench.bring(pack(**{"a.txt": b"A"}), home / "site", directory=True))  # type: ignore[operator]

    assert (home / "site/a.txt").read_bytes() == b"A"
    assert (home / "site/sub/b c.txt").read_bytes() == b"b"
    assert (home / "site/kept").exists()
    assert bench.files() == ["site"]

    back = await bench.run(copy_step(direction="download", src=f"{home}/site/", directory=True))
    packed = bench.artifacts.content(back.outputs["artifact"])
    with tarfile.open(fileobj=io.BytesIO(packed)) as found:
        assert {"./a.txt", "./sub/b c.txt", "./kept"} <= set(found.getnames())
    assert not list(Path("/tmp").glob(".ops-*"))


async def test_an_archive_that_leads_out_of_its_folder_is_refused(bench: Bench) -> None:
    for name in ("../out.txt", "/tmp/ops-absolute.txt", "a/../../out.txt"):
        code = await bench.fails(bench.bring(tar_of(**{name: b"x"}), bench.host.home / "in", directory=True))
        assert code == "archive_invalid"
    assert await bench.fails(bench.bring(b"no archive", bench.host.home / "in", directory=True)) == (
        "archive_invalid"
    )
    assert bench.files() == []


@pytest.mark.provokes("artifact_missing")
async def test_what_is_wrong_with_a_path_is_said(bench: Bench) -> None:
    home = bench.host.home
    (home / "folder").mkdir()
    (home / "file").write_bytes(b"")

    assert await bench.fails(bench.bring(b"x", home / "no/such/file")) == "path_missing"
    assert await bench.fails(bench.bring(b"x", home / "folder")) == "not_a_file"
    assert await bench.fails(bench.bring(tar_of(a=b""), home / "file", directory=True)) == "not_a_directory"
    assert await bench.fails(copy_step(direction="download", src=f"{home}/nothing")) == "path_missing"
    assert await bench.fails(copy_step(direction="download", src=f"{home}/folder")) == "not_a_file"
    assert await bench.fails(copy_step(direction="download", src=f"{home}/file", directory=True)) == (
        "not_a_directory"
    )
    assert await bench.fails(copy_step(src="00000000-0000-0000-0000-000000000000", dest="/x")) == (
        "artifact_missing"
    )


@pytest.mark.provokes("copy_failed")
async def test_a_host_that_cannot_put_the_file_into_place_says_why_and_keeps_nothing(bench: Bench) -> None:
    spec = bench.bring(b"content", bench.host.home / ("name" * 100))
    with pytest.raises(StepFault) as fault:
        await bench.run(spec)

    assert fault.value.cause.code == "copy_failed"
    assert "too long" in str(fault.value.words["detail"])
    assert bench.files() == []


async def test_a_full_disk_is_said_before_anything_is_sent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.steps.ssh_copy.transfers.MARGIN_KIB", 1 << 50)

    assert await bench.fails(bench.bring(b"x", bench.host.home / "file")) == "disk_full"
    assert bench.files() == []


async def test_what_arrives_otherwise_than_it_was_sent_is_not_put_into_place(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest = bench.host.home / "file"
    dest.write_bytes(b"old")
    spec = bench.bring(b"content", dest)
    info, _ = bench.artifacts.contents[UUID(spec.src)]
    bench.artifacts.contents[info.id] = info, b"c0ntent"

    assert await bench.fails(spec) == "hash_mismatch"
    assert dest.read_bytes() == b"old"
    assert bench.files() == ["file"]


async def test_a_host_without_a_hash_program_is_read_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = COPY.line.replace("need sha256sum", "false").replace("need shasum", "false")
    monkeypatch.setattr(peer, "COPY", ShellText(without.replace("need openssl", "false")))
    content, dest = os.urandom(BIG), bench.host.home / "big"

    await bench.run(bench.bring(content, dest))

    assert dest.read_bytes() == content


async def test_real_servers_take_the_bytes_over_sftp(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    used: list[Sftp] = []
    entered = Sftp.__aenter__

    async def noted(self: Sftp) -> Sftp:
        used.append(self)
        return await entered(self)

    monkeypatch.setattr(Sftp, "__aenter__", noted)
    await bench.run(bench.bring(b"content", bench.host.home / "file"))

    assert bool(used) is ("sshd" in request.node.callspec.id)


async def serve_once(content: bytes) -> tuple[asyncio.Server, str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_target_may_fetch_the_file_itself(bench: Bench) -> None:
    content, dest = os.urandom(BIG), bench.host.home / "pulled"
    server, bench.artifacts.public_url = await serve_once(content)

    outcome = await bench.run(bench.bring(content, dest, transfer="pull"))

    server.close()
    assert outcome.outcome == "succeeded"
    assert dest.read_bytes() == content


async def test_a_pull_is_stopped_and_nobody_else_who_has_its_number_by_now(bench: Bench) -> None:
    context, dest = bench.context(over=True), bench.host.home / "pulled"
    half = bench.host.home / f".ops-{context.task_id.hex}"
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    # `tail` stands for a download: what counts is that the half file is on its command line.
    half.touch()
    pulling = await asyncio.create_subprocess_exec("tail", "-f", str(half), stdout=asyncio.subprocess.DEVNULL)
    spec = bench.bring(b"content", dest)
    if os.getuid() == 0:
        os.chown(half, bench.host.home.stat().st_uid, -1)
    for process in (stranger, pulling):
        half.with_name(f"{half.name}.pid").write_text(f"{process.pid}\n")
        await bench.plugin.tidy(spec, context, None)
        assert not half.with_name(f"{half.name}.pid").exists()

    assert stranger.returncode is None
    ended_for_us = bench.host.username != "root" and os.getuid() == 0
    if not ended_for_us:  # an ordinary account may not end what root runs
        assert await asyncio.wait_for(pulling.wait(), PATIENCE) < 0
    for process in (stranger, pulling):
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert bench.files() == []


async def test_a_pull_that_fails_is_said_or_made_good_by_streaming(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.steps.ssh_copy.plugin.PULL_FROM_BYTES", 1)
    bench.artifacts.public_url = "http://127.0.0.1:1"
    dest = bench.host.home / "file"

    assert await bench.fails(bench.bring(b"content", dest, transfer="pull")) == "pull_failed"
    outcome = await bench.run(bench.bring(b"content", dest))

    assert outcome.outcome == "succeeded"
    assert dest.read_bytes() == b"content"


@pytest.mark.skipif(not (sshd_is_installed() and can_make_accounts()), reason="needs root, sudo and sshd")
async def test_with_sudo_a_file_goes_where_the_account_may_not(tmp_path: Path) -> None:
    plugin, artifacts = SshCopyPlugin(), MemoryArtifacts()
    place = tmp_path / "closed"
    place.mkdir(mode=0o700)
    with throw_away_account("{user} ALL=(ALL) ALL") as account:
        async with real_sshd(account.user) as host:
            secrets = host.secrets | {"sudo_password": account.password}
            bench = Bench(replace(host, secrets=secrets), plugin, artifacts)
            content = os.urandom(BIG)
            assert await bench.fails(bench.bring(content, place / "file")) in {"path_denied", "path_missing"}

            await bench.run(bench.bring(content, place / "file", sudo=True))
            back = await bench.run(copy_step(direction="download", src=f"{place}/file", sudo=True))

            assert (place / "file").read_bytes() == content
            assert (place / "file").stat().st_uid == 0
            assert artifacts.content(back.outputs["artifact"]) == content
    await plugin.close()


@pytest.mark.parametrize("dest", ["~", "~/", "/", "new/", "{home}", "{home}/new/"])
async def test_a_folder_is_no_place_for_a_file_also_one_that_is_not_there(bench: Bench, dest: str) -> None:
    spec = bench.bring(b"content", dest.format(home=bench.host.home))

    assert await bench.fails(spec) == "not_a_file"

    assert bench.files() == []
