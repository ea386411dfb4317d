"""Throw-away accounts of this machine, with or without the right to use sudo. Needs root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

SUDOERS = Path("/etc/sudoers.d")


@dataclass(frozen=True, slots=True)
class Account:
    user: pwd.struct_passwd
    password: str


def can_make_accounts() -> bool:
    return os.getuid() == 0 and shutil.which("useradd") is not None and shutil.which("sudo") is not None


@contextmanager
def throw_away_account(rule: str = "") -> Iterator[Account]:
    """An account for one test; `rule` is what sudoers says of it, `{user}` for its name."""
    name, password = f"ops-{token_hex(4)}", f"pa55 {token_hex(6)}"
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", name], check=True, capture_output=True)
    rules = SUDOERS / name
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{password}".encode(), check=True)
        if rule:
            rules.write_text(rule.replace("{user}", name) + "\n")
            rules.chmod(0o440)
        yield Account(pwd.getpwnam(name), password)
    finally:
        rules.unlink(missing_ok=True)
        subprocess.run(["userdel", "--remove", "--force", name], check=False, capture_output=True)
