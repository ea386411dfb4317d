"""One command on many machines by Ansible, which the measurement installs apart when the index is at hand."""

import asyncio
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.load.laps import Lap, cpu_seconds
from tests.load.surroundings import Note
from tests.support.foreign import ansible_folder, made_ansible

LIMIT_SECONDS = 120.0


async def installed(note: Note) -> Path | None:
    """The folder of its programs; None, and a word why, where it can be neither found nor installed."""
    found = ansible_folder()
    if found is not None:
        return found
    note("Ansible is being installed into an environment of its own …")
    try:
        return await asyncio.to_thread(made_ansible)
    except (subprocess.SubprocessError, OSError) as error:
        note(f"Left out: Ansible, which could not be installed here ({error}).")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Machines in an inventory of its own."""

    programs: Path
    folder: Path
    count: int

    async def lap(self, command: str, *, says: str) -> Lap:
        """`command` by the module `raw` on all at once. Raises when one has not said what it should."""
        return await asyncio.to_thread(self._lap, command, says)

    def _lap(self, command: str, says: str) -> Lap:
        began, cpu = time.perf_counter(), cpu_seconds(resource.RUSAGE_CHILDREN)
        ran = subprocess.run(
            [str(self.programs / "ansible"), "all", "-f", str(self.count), "-m", "raw", "-a", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "LANG": "C.UTF-8",
                "ANSIBLE_INVENTORY": str(self.folder / "inventory.yml"),
                "ANSIBLE_HOST_KEY_CHECKING": "False",
                "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s -o BatchMode=yes -F none",
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_DEPRECATION_WARNINGS": "False",
            },
        )
        seconds = time.perf_counter() - began
        if ran.returncode or ran.stdout.count(says) != self.count:
            raise RuntimeError(f"Ansible ended with {ran.returncode}: {(ran.stdout + ran.stderr)[-1_000:]}")
        return Lap(
            per_second=self.count / seconds,
            cpu_ms=(cpu_seconds(resource.RUSAGE_CHILDREN) - cpu) * 1000 / self.count,
        )

    async def hang_up(self) -> None:
        """End the connections that OpenSSH keeps open for the next lap."""
        for socket in self.folder.glob("way-*"):
            closing = await asyncio.create_subprocess_exec(
                "ssh", "-O", "exit", "-o", f"ControlPath={socket}", "host", stderr=subprocess.DEVNULL
            )
            await closing.wait()


@asynccontextmanager
async def fleet(
    programs: Path, hosts: Sequence[Mapping[str, object]], common: Mapping[str, object]
) -> AsyncIterator[Fleet]:
    """Every host has a connection of its own. The variables are Ansible's, without their `ansible_`."""
    with tempfile.TemporaryDirectory(prefix="ops-an-") as place:
        folder = Path(place)
        inventory = {
            "all": {
                "vars": _named(common),
                "hosts": {
                    f"host-{number}": _named(variables | {"control_path": f"{folder}/way-{number}"})
                    for number, variables in enumerate(map(dict, hosts))
                },
            }
        }
        file = folder / "inventory.yml"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(inventory))
        machines = Fleet(programs=programs, folder=folder, count=len(hosts))
        try:
            yield machines
        finally:
            await machines.hang_up()


def _named(variables: Mapping[str, object]) -> dict[str, object]:
    return {f"ansible_{name}": value for name, value in variables.items()}
