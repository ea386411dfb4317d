"""Clients that were not written here: Ansible in a virtual environment of its own, never in ours."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = ("ansible-core", "pywinrm", "pypsrp")


def ansible_folder() -> Path | None:
    """The folder of its programs; None where it is neither installed nor asked for.

    With OPS_TEST_ANSIBLE=1 a virtual environment is made once, with the machine's own package index.
    OPS_TEST_ANSIBLE may also name a virtual environment that is there.
    """
    asked = os.environ.get("OPS_TEST_ANSIBLE", "")
    if asked and asked not in {"0", "1"}:
        return Path(asked) / "bin"
    if asked == "1":
        return made_ansible()
    found = shutil.which("ansible")
    return Path(found).parent if found else None


def made_ansible() -> Path:
    """The folder of its programs in a virtual environment that is made once. Raises where that cannot be."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = Path(tempfile.gettempdir()) / f"ops-test-ansible-{version}"
    if not (folder / ".complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run(
            [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *PACKAGES],
            check=True,
            timeout=300,
        )
        (folder / ".complete").touch()
    return folder / "bin"


class Ansible:
    """Runs ad-hoc commands on one host of an inventory of its own."""

    def __init__(self, programs: Path, home: Path) -> None:
        self._programs, self._home = programs, home

    def run(self, module: str, arguments: str, **variables: object) -> tuple[int, str]:
        """Exit code (0 worked, 2 failed, 4 unreachable) and what it printed."""
        inventory = self._home / "inventory.yml"
        host = "\n".join(f"        ansible_{name}: {value!r}" for name, value in variables.items())
        inventory.write_text(f"all:\n  hosts:\n      host:\n{host}\n")
        inventory.chmod(0o600)
        ran = subprocess.run(
            [str(self._programs / "ansible"), "-i", str(inventory), "host", "-m", module, "-a", arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self._home,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._home),
                "LANG": "C.UTF-8",
                "ANSIBLE_HOST_KEY_CHECKING": "False",
                "ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o BatchMode=yes -F none",
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_DEPRECATION_WARNINGS": "False",
                "ANSIBLE_INTERPRETER_PYTHON": sys.executable,
            },
        )
        return ran.returncode, ran.stdout + ran.stderr

    def python(self, text: str) -> tuple[int, str]:
        """A program of its interpreter, which has pypsrp and pywinrm."""
        ran = subprocess.run(
            [str(self._programs / "python"), "-c", text],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr
