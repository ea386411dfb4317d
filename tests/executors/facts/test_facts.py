"""`facts`: what a host tells of itself, over both protocols, and where it ends up."""

import asyncio
import os
import platform
import pwd
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.jobs.steps import CollectFacts, WaitReboot
from contracts.targets.facts import read_facts
from infra.sandbox.windows import WindowsHost
from tests.executors.ssh_exec.conftest import demo, host
from tests.support.eventually import eventually
from tests.support.outputs import CollectedOutput
from tests.support.ssh import Reachable, real_sshd, sshd_is_installed
from tests.support.windows import PATIENT, a_context, ntlm_over_http
from workers.executor.steps.facts import FactsPlugin
from workers.executor.steps.facts.scripts import SH
from workers.executor.steps.remote import Remote
from workers.executor.steps.ssh_exec import SshExecPlugin
from workers.executor.steps.wait_reboot import WaitRebootPlugin
from workers.executor.steps.winrm_exec import WinrmExecPlugin

__all__ = ["demo", "host"]

STEP = CollectFacts(type="facts")


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    ssh, winrm = SshExecPlugin(), WinrmExecPlugin(limits=PATIENT, threads=16)
    yield Remote(ssh=ssh, winrm=winrm)
    await ssh.close()
    await winrm.close()


async def test_a_linux_host_tells_what_is_true_of_it(remote: Remote, host: Reachable) -> None:
    context = host.context()
    attempt = await FactsPlugin(remote).start(STEP, context)
    outcome = await attempt.follow()
    await attempt.release()

    facts = dict(outcome.outputs)
    assert (outcome.outcome, outcome.facts) == ("succeeded", facts)
    assert (facts["os_family"], facts["kernel"], facts["architecture"], facts["hostname"]) == (
        "linux",
        platform.release(),
        platform.machine(),
        platform.node(),
    )
    assert facts["cpu_count"] == os.cpu_count()
    assert facts["memory_bytes"] == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    booted = datetime.fromisoformat(facts["boot_time"]).timestamp()
    up = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(datetime.now(UTC).timestamp() - up - booted) < 5
    root = next(disk for disk in facts["disks"] if disk["mount"] == "/")
    assert root["size_gb"] == round(_root_bytes() / 1024**3, 2)
    assert host.folders(context.task_id) == []


def _root_bytes() -> int:
    line = subprocess.run(["df", "-kP", "/"], capture_output=True, text=True, check=True).stdout.splitlines()[
        1
    ]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("shell", [["dash"], ["bash", "--posix"], ["busybox", "sh"]], ids=" ".join)
def test_the_script_runs_in_every_posix_shell(shell: list[str]) -> None:
    try:
        ran = subprocess.run(
            [*shell, "-u", "-c", "set +u\n" + SH], capture_output=True, text=True, timeout=120, check=False
        )
    except FileNotFoundError:
        pytest.skip(f"{shell[0]} is not installed")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert {"os_family", "kernel", "cpu_count", "memory_gb", "boot_time", "disks"} <= read_facts(
        ran.stdout
    ).keys()


async def test_a_windows_host_tells_the_same_names(remote: Remote, windows_host: WindowsHost) -> None:
    context = a_context(ntlm_over_http(windows_host), CollectedOutput())
    attempt = await FactsPlugin(remote).start(STEP, context)
    outcome = await attempt.follow()
    await attempt.release()

    facts = dict(outcome.outputs)
    assert outcome.outcome == "succeeded", outcome
    assert facts.pop("uptime_seconds") >= 30 * 3600
    assert facts.pop("boot_time").endswith("Z")
    assert facts == {
        "os_family": "windows",
        "os_name": "Microsoft Windows Server 2022 Datacenter (simulated)",
        "os_version": "10.0.20348",
        "kernel": "10.0.20348",
        "build": "20348",
        "hostname": "SIMULATED-WIN",
        "fqdn": "SIMULATED-WIN.corp.test",
        "cpu_count": 4,
        "memory_bytes": 8 * 1024**3,
        "memory_gb": 8.0,
        "ips": ["10.1.2.3", "fd00::3"],
        "disks": [
            {"mount": "C:", "size_gb": 64.0, "free_gb": 20.0, "filesystem": "NTFS"},
            {"mount": "D:", "size_gb": 128.0, "free_gb": 2.0, "filesystem": "ReFS"},
        ],
    }


@pytest.mark.provokes("facts_unreadable")
async def test_a_host_that_cannot_tell_what_it_is_fails_with_its_words(
    remote: Remote, tmp_path: Path
) -> None:
    if not sshd_is_installed():
        pytest.skip("no OpenSSH server on this machine")
    for tool in Path("/usr/bin").iterdir():
        if tool.name != "uname":
            (tmp_path / tool.name).symlink_to(tool)
    async with real_sshd(pwd.getpwuid(os.getuid()), options=[f"SetEnv PATH={tmp_path}"]) as bare:
        attempt = await FactsPlugin(remote).start(STEP, bare.context())
        outcome = await attempt.follow()
        await attempt.release()

    assert outcome.cause is not None
    assert (outcome.outcome, outcome.cause.code) == ("failed", "facts_unreadable")
    assert "uname" in str(outcome.words["detail"])


async def test_a_windows_host_reboots_once_and_is_waited_for(
    remote: Remote, windows_host: WindowsHost
) -> None:
    output = CollectedOutput()
    context = a_context(ntlm_over_http(windows_host), output)
    spec = WaitReboot.model_validate({"type": "wait.reboot", "intervalSec": 0.1})
    attempt = await WaitRebootPlugin(remote).start(spec, context)
    assert windows_host.machine.orders == 0
    outcome = await attempt.follow()
    await attempt.release()
    await windows_host.machine.settle()

    assert (outcome.outcome, windows_host.machine.orders) == ("succeeded", 1)
    assert outcome.outputs["boot_before"] < outcome.outputs["boot_after"]


async def test_facts_are_asked_for_again_when_the_worker_was_lost(remote: Remote, demo: Reachable) -> None:
    plugin, context = FactsPlugin(remote), demo.context()
    lost = await plugin.start(STEP, context)
    following = asyncio.create_task(lost.follow())
    await eventually(lambda: demo.folders(context.task_id))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await lost.detach()

    taken = await plugin.resume(STEP, context, lost.handle)
    outcome = await taken.follow()
    await taken.release()

    assert outcome.outcome == "succeeded"
    assert demo.folders(context.task_id) == []


def test_only_what_is_understood_becomes_a_fact() -> None:
    printed = "\n".join(
        [
            "Welcome to the machine=x",
            "os_family=linux\r",
            "os_name=A\x1b[31mB",
            "cpu_count=many",
            "memory_bytes=99999999999999999999999",
            "boot_time=yesterday",
            "disk=/\t\t",
            "disk=/data\t1073741824\tx",
            "ip=10.0.0.1",
            "ip=10.0.0.1",
            "secret=of mine",
        ]
    )

    assert read_facts(printed) == {
        "os_family": "linux",
        "os_name": "A[31mB",
        "ips": ["10.0.0.1"],
        "disks": [{"mount": "/data", "size_gb": 1.0, "free_gb": 0.0}],
    }
