"""Runs scripts in every real POSIX shell of this machine and says whether anything but the script ran."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SHELLS: tuple[tuple[str, ...], ...] = tuple(
    (path, *rest)
    for name, *rest in (("dash",), ("bash",), ("busybox", "sh"))
    if (path := shutil.which(name)) is not None
)
LOCALES = ("C", "C.UTF-8")
CANARY = "canary"

HOSTILE = (
    "",
    "plain",
    "it's",
    '"',
    "'\"'\"'",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary;",
    "\n touch canary\n",
    "a\n",
    "a\n\n\n",
    "\n",
    "\\",
    "\\\\'\\",
    "%s%n%PATH%",
    "!1 !PATH!",
    "a[$(touch canary)]",
    "x[$(touch canary)]=1",
    "-n",
    "-e -- --help",
    "*",
    "~ ?[a-z]* {a,b}",
    "  two  blanks\t",
    "E",
    "E\ntouch canary\n",
    "${HOME} $HOME $((1+1))",
    "\u2018\u2019\u201a\u201b\u201c\u201d\u201e",
    "\U0001f600 \u00e9\u4e2d",
    "\r\n|&<>()#",
    "{{ a }} {{ b }}",
    ")\n}\nfi\ndone\nesac\ntouch canary",
    "\x01\x7f\x1b[0m",
)


@dataclass(frozen=True)
class Ran:
    stdout: bytes
    stderr: bytes
    status: int
    canary: bool


def run(shell: tuple[str, ...], script: str, folder: Path, *, locale: str = "C.UTF-8") -> Ran:
    """Run the script from a file in an empty folder and a small environment."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "script"
    path.write_bytes(script.encode())
    environment: Mapping[str, str] = {"PATH": os.environ["PATH"], "LC_ALL": locale, "HOME": str(folder)}
    done = subprocess.run(
        [*shell, str(path)], cwd=folder, env=environment, capture_output=True, timeout=120, check=False
    )
    return Ran(done.stdout, done.stderr, done.returncode, (folder / CANARY).exists())
