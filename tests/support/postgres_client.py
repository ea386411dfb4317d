"""psql, pg_dump and pg_restore of the newest supported version: they understand every older server."""

import os
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

from infra.embedded.postgres.binaries import INSTALLATION, PACKAGE, site_folder


def programs() -> Path:
    """The folder with the programs that come with the embedded server."""
    return site_folder() / PACKAGE / INSTALLATION / "bin"


def environment(url: str) -> dict[str, str]:
    """What the programs need to find the server and to sign in."""
    server = make_url(url)
    return {
        "PATH": f"{programs()}:{os.environ['PATH']}",
        "PGHOST": str(server.host),
        "PGPORT": str(server.port),
        "PGUSER": str(server.username),
        "PGPASSWORD": str(server.password or ""),
        "PGDATABASE": str(server.database),
    }


def run(url: str, *command: str) -> None:
    """Run one of the programs; fails with what it said."""
    done = subprocess.run(
        command, env=environment(url), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
