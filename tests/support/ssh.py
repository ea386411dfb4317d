"""SSH hosts for tests: the sandbox host, and a real OpenSSH server; and what a plug-in is given."""

import asyncio
import os
import pwd
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID, uuid4

import asyncssh

from contracts.jobs.steps import SshExec
from contracts.targets.specs import SshSettings, WinrmSettings
from infra.sandbox.ssh_host import SshHost
from tests.support.artifacts import MemoryArtifacts
from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.ports import free_port
from workers.executor.steps.base import OpenedCredential, StepContext, StepOutcome, TargetView
from workers.executor.steps.ssh_exec import SshExecPlugin

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@dataclass(frozen=True, kw_only=True)
class Reachable:
    """A host that tests may run commands on."""

    port: int
    host_key: str
    username: str
    secrets: dict[str, str] = field(repr=False)
    home: Path

    @property
    def target(self) -> TargetView:
        return TargetView(
            id=uuid4(),
            name="host",
            hostname="127.0.0.1",
            os="linux",
            winrm=WinrmSettings(),
            ssh=SshSettings(port=self.port, host_key=self.host_key),
        )

    @property
    def credential(self) -> OpenedCredential:
        return OpenedCredential(
            id=uuid4(), version=1, type="ssh", username=self.username, secrets=self.secrets
        )

    def context(self, output: CollectedOutput | None = None, **changes: object) -> StepContext:
        """A context of a task of its own on this host."""
        context = StepContext(
            run_id=uuid4(),
            task_id=uuid4(),
            attempt=1,
            step="step",
            target=self.target,
            credential=self.credential,
            parameters={},
            secret_parameters=frozenset(),
            output=output or CollectedOutput(),
            still_mine=lambda: None,
            artifacts=MemoryArtifacts(),
        )
        return replace(context, **changes)  # type: ignore[arg-type]

    def with_settings(self, **changes: object) -> StepContext:
        """A context whose target has other SSH settings."""
        target = self.target
        return self.context(target=replace(target, ssh=target.ssh.model_copy(update=changes)))

    def folders(self, task_id: UUID | None = None) -> list[str]:
        """What attempts have left on the host."""
        base = self.home / ".opsconductor"
        return [path.name for path in base.glob(f"{task_id or ''}*")] if base.exists() else []


def script(text: str, **options: object) -> SshExec:
    return SshExec.model_validate({"type": "ssh.exec", "command": text, **options})


@asynccontextmanager
async def sandbox(
    authorized_key: str | None = None, *, programs: Path | None = None
) -> AsyncIterator[Reachable]:
    """The sandbox host, let in by password; what is in `programs` goes before the machine's own."""
    host = SshHost("demo", "sandbox-password", authorized_key=authorized_key, programs=programs)
    await host.start()
    try:
        yield Reachable(
            port=host.port,
            host_key=host.host_key_public,
            username="demo",
            secrets={"password": "sandbox-password"},
            home=host.home,
        )
    finally:
        await host.stop()


def ordinary_user() -> pwd.struct_passwd | None:
    """An account other than root with a login shell, if this machine has one we may become."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    shells = {"/bin/sh", "/bin/bash", "/bin/dash"}
    users = (user for user in pwd.getpwall() if user.pw_uid > 0 and user.pw_shell in shells)
    return next(users, None)


@asynccontextmanager
async def real_sshd(
    user: pwd.struct_passwd,
    *,
    host_key_types: Sequence[str] = ("ssh-ed25519",),
    options: Sequence[str] = (),
) -> AsyncIterator[Reachable]:
    """An OpenSSH server with keys and a configuration of its own, let in by key.

    `options` are lines of its configuration that win over the usual ones.
    """
    folder = Path(tempfile.mkdtemp(prefix="ops-sshd-"))
    try:
        host_keys = [asyncssh.generate_private_key(name) for name in host_key_types]
        user_key = asyncssh.generate_private_key("ssh-ed25519")
        home, port = folder / "home", free_port()
        home.mkdir()
        _write_configuration(folder, port=port, host_keys=host_keys, user_key=user_key, options=options)
        for path in (folder, home, folder / "authorized"):
            path.chmod(0o755)
            if os.getuid() == 0:
                os.chown(path, user.pw_uid, user.pw_gid)
        arguments = [SSHD, "-D", "-e", "-f", str(folder / "config")]
        log = (folder / "log").open("wb")
        with log:
            server = await asyncio.create_subprocess_exec(*arguments, stderr=log, start_new_session=True)
        try:
            await eventually(lambda: _listens(port))
            yield Reachable(
                port=port,
                host_key="".join(key.export_public_key().decode() for key in host_keys),
                username=user.pw_name,
                secrets={"private_key": user_key.export_private_key().decode()},
                home=home,
            )
        finally:
            server.terminate()
            await server.wait()
    finally:
        shutil.rmtree(folder)


def sshd_is_installed() -> bool:
    return Path(SSHD).exists()


def _write_configuration(
    folder: Path,
    *,
    port: int,
    host_keys: Sequence[asyncssh.SSHKey],
    user_key: asyncssh.SSHKey,
    options: Sequence[str],
) -> None:
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for number, key in enumerate(host_keys):
        private = folder / f"host_key.{number}"
        private.touch(mode=0o600)
        private.write_bytes(key.export_private_key())
    (folder / "authorized").write_bytes(user_key.export_public_key())
    lines = [
        *options,
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        *(f"HostKey {folder / f'host_key.{number}'}" for number in range(len(host_keys))),
        f"AuthorizedKeysFile {folder / 'authorized'}",
        "PidFile none",
        "StrictModes no",
        "PermitRootLogin yes",
        "PasswordAuthentication no",
        f"UsePAM {'yes' if os.getuid() == 0 else 'no'}",
        "PrintMotd no",
        f"SetEnv HOME={folder / 'home'}",
        "MaxStartups 200",
        "Subsystem sftp internal-sftp",
    ]
    (folder / "config").write_text("\n".join(lines) + "\n")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def run(plugin: SshExecPlugin, context: StepContext, text: str, **options: object) -> StepOutcome:
    """Start, follow, release."""
    attempt = await plugin.start(script(text, **options), context)
    outcome = await attempt.follow()
    await attempt.release()
    return outcome


async def let_go(following: "asyncio.Task[StepOutcome]") -> None:
    """Stop following, as a worker does that is going away."""
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


def output_of(context: StepContext) -> CollectedOutput:
    if not isinstance(context.output, CollectedOutput):
        raise TypeError("this context collects no output")
    return context.output


def is_running(pid: int) -> bool:
    """Zombies do not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except FileNotFoundError:
        return False
    return state != "Z"
