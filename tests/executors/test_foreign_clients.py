"""Clients written by others find in our hosts what they know: Ansible over WinRM and SSH, pypsrp's WinRS.

They run where Ansible is installed; OPS_TEST_ANSIBLE=1 installs it into an environment of its own.
"""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from infra.sandbox.windows import WindowsHost
from tests.support.foreign import Ansible, ansible_folder
from tests.support.ssh import Reachable, real_sshd, sandbox, sshd_is_installed
from tests.support.windows import PASSWORD, USER

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def programs() -> Path:
    found = ansible_folder()
    if found is None:
        pytest.skip("Ansible is not installed; OPS_TEST_ANSIBLE=1 installs it for these tests alone")
    return found


@pytest.fixture
def ansible(programs: Path, tmp_path: Path) -> Ansible:
    return Ansible(programs, tmp_path)


def over_winrm(host: WindowsHost, **changes: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": host.http_port,
        "connection": "winrm",
        "winrm_transport": "ntlm",
        "winrm_scheme": "http",
        "user": USER,
        "password": PASSWORD,
        "shell_type": "powershell",
    } | changes


async def raw(ansible: Ansible, command: str, variables: dict[str, Any]) -> tuple[int, str]:
    return await asyncio.to_thread(ansible.run, "raw", command, **variables)


async def test_ansible_runs_powershell_over_winrm_and_leaves_no_shell(
    ansible: Ansible, windows_host: WindowsHost
) -> None:
    worked = await raw(
        ansible, "1..3 | ForEach-Object { \"n $_\" }; 'Grüße'; hostname", over_winrm(windows_host)
    )
    failed = await raw(ansible, "Write-Output out; exit 5", over_winrm(windows_host))

    assert worked[0] == 0, worked[1]
    assert "rc=0" in worked[1]
    assert "n 1\nn 2\nn 3\nGrüße\nSIMULATED-WIN" in worked[1].replace("\r", "")
    assert failed[0] == 2
    assert "rc=5 >>\nout" in failed[1].replace("\r", "")
    assert windows_host.shells == {}
    assert windows_host.sealed_messages > 0


async def test_ansible_logs_in_by_basic_over_tls(ansible: Ansible, windows_host: WindowsHost) -> None:
    over_tls = over_winrm(
        windows_host,
        port=windows_host.https_port,
        winrm_scheme="https",
        winrm_transport="basic",
        winrm_server_cert_validation="ignore",
    )

    code, said = await raw(ansible, "hostname", over_tls)

    assert (code, "SIMULATED-WIN" in said) == (0, True), said
    assert windows_host.logins[-1] == ("basic", USER, True)


async def test_ansible_is_told_that_its_password_is_wrong(
    ansible: Ansible, windows_host: WindowsHost
) -> None:
    code, said = await raw(ansible, "hostname", over_winrm(windows_host, password="wrong"))

    assert (code, "credentials were rejected" in said) == (4, True), said
    assert windows_host.journal == []


PSRP = """
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan

wsman = WSMan("127.0.0.1", port={port}, username={user!r}, password={password!r}, ssl=False, auth="ntlm",
              encryption="always")
with wsman, WinRS(wsman) as shell:
    process = Process(shell, "hostname")
    process.invoke()
    print(process.rc, process.stdout)
    process.signal(SignalCode.TERMINATE)
    process = Process(shell, "more")
    process.begin_invoke()
    process.send(b"from stdin", end=True)
    process.end_invoke()
    print(process.rc, process.stdout)
    process.signal(SignalCode.TERMINATE)
    process = Process(shell, "exit /b 7")
    process.invoke()
    print(process.rc)
"""


async def test_pypsrp_runs_commands_with_input_in_one_shell(
    ansible: Ansible, windows_host: WindowsHost
) -> None:
    text = PSRP.format(port=windows_host.http_port, user=USER, password=PASSWORD)

    code, said = await asyncio.to_thread(ansible.python, text)

    assert code == 0, said
    assert said.splitlines() == ["0 b'SIMULATED-WIN\\r\\n'", "0 b'from stdin'", "7"]
    assert windows_host.shells == {}


# -- SSH


def key_file(folder: Path, text: str) -> Path:
    file = folder / "key"
    file.touch(mode=0o600)
    file.write_text(text)
    return file


@pytest.fixture(params=["sandbox", "sshd"])
async def keyed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Reachable, Path]]:
    """A host that is let in by a key in a file: the sandbox host, and the server that it stands in for."""
    if request.param == "sandbox":
        key = asyncssh.generate_private_key("ssh-ed25519")
        async with sandbox(key.export_public_key().decode()) as reachable:
            yield reachable, key_file(tmp_path, key.export_private_key("openssh").decode())
    elif not sshd_is_installed():
        pytest.skip("no OpenSSH server on this machine (Debian: openssh-server)")
    else:
        async with real_sshd(pwd.getpwuid(os.getuid())) as reachable:
            yield reachable, key_file(tmp_path, reachable.secrets["private_key"])


def over_ssh(reachable: Reachable, key: Path) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": reachable.port,
        "connection": "ssh",
        "user": reachable.username,
        "ssh_private_key_file": str(key),
        "ssh_use_tty": False,  # the sandbox host has no terminals
        "ssh_transfer_method": "piped",  # nor sftp
    }


async def test_ansible_runs_commands_over_ssh(ansible: Ansible, keyed: tuple[Reachable, Path]) -> None:
    reachable, key = keyed

    worked = await raw(ansible, "echo out; cd /; pwd; echo err >&2", over_ssh(reachable, key))
    failed = await raw(ansible, "echo no; exit 5", over_ssh(reachable, key))

    assert worked[0] == 0, worked[1]
    assert "out\n/\n" in worked[1].replace("\r", "")
    assert failed[0] == 2
    assert "rc=5 >>\nno" in failed[1].replace("\r", "")


async def test_ansible_copies_a_file_over_ssh(
    ansible: Ansible, keyed: tuple[Reachable, Path], tmp_path: Path
) -> None:
    reachable, key = keyed
    (tmp_path / "file.bin").write_bytes(bytes(range(256)) * 4_000)
    dest = reachable.home / "copied.bin"

    code, said = await asyncio.to_thread(
        ansible.run, "copy", f"src={tmp_path}/file.bin dest={dest}", **over_ssh(reachable, key)
    )

    assert code == 0, said
    assert dest.read_bytes() == bytes(range(256)) * 4_000


async def test_ansible_is_told_that_its_key_is_wrong(
    ansible: Ansible, keyed: tuple[Reachable, Path], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    unknown = asyncssh.generate_private_key("ssh-ed25519").export_private_key("openssh").decode()
    other = key_file(tmp_path / "other", unknown)

    code, said = await raw(ansible, "id", over_ssh(keyed[0], other))

    assert (code, "Permission denied" in said) == (4, True), said
