"""The files of one embedded PostgreSQL: where they are and how they come into being."""

import os
import secrets
import shutil
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.errors import DataFolderUnusable, ServiceFailed
from infra.embedded.places import require_enterable, server_account
from infra.embedded.postgres import binaries
from infra.embedded.postgres.leftovers import stop_leftovers
from infra.embedded.process import Account, ChildProcess, describe_exit
from infra.private_files import write_private

SUPERUSER = "postgres"
PASSED_ON = ("LD_LIBRARY_PATH",)


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies where in the data folder of an embedded PostgreSQL."""

    path: Path

    @property
    def cluster(self) -> Path:
        """PGDATA; complete once it exists (it is made under another name)."""
        return self.path / "cluster"

    @property
    def lock(self) -> Path:
        return self.path / "supervisor.lock"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def program(self) -> Path:
        """Root only: the copy of the programs that the server's account can reach."""
        return self.path / "program"

    @property
    def password(self) -> Path:
        """Of the role that the application uses; mode 0600."""
        return self.path / "password"

    @property
    def superuser_password(self) -> Path:
        return self.path / "superuser.password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The programs to run and who runs them (None: ourselves)."""

    programs: Path
    account: Account | None


def environment() -> dict[str, str]:
    """All that PostgreSQL's programs see: our own PGDATA, PGPORT and the like do not concern them."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **passed_on}


def install(folder: Folder) -> Installation:
    """Find out who runs the server and make sure that they can enter the folder and reach the programs.

    Only to be called by the one who holds the folder's lock. Raises DataFolderUnusable with what to do.
    """
    account = server_account(folder.cluster, folder.path)
    site = binaries.site_folder()
    if account is not None:
        require_enterable(folder.path, account)
        if folder.path.stat().st_uid == 0:
            site = binaries.copied(site, folder.program)
        else:  # root writes no programs into a folder that somebody else controls
            require_enterable(binaries.programs(site), account)
    return Installation(programs=binaries.programs(site), account=account)


def unusable(folder: Folder, error: OSError) -> DataFolderUnusable:
    return DataFolderUnusable(
        f"The data folder {folder.path} cannot be used: {error.strerror}"
        f"{f' ({error.filename})' if error.filename else ''}. "
        f"Make room or give this user the right to write there, or set OPS_DATA_DIR to another folder."
    )


def secret(file: Path) -> str:
    """The password kept in `file`, made up at the first call (256 bits)."""
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32))
    return file.read_text(encoding="utf-8").strip()


def require_readable_version(folder: Folder) -> None:
    """Raise DataFolderUnusable when the data was written by another major version than our programs."""
    try:
        written_by = (folder.cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise DataFolderUnusable(
            f"{folder.cluster} is not a PostgreSQL data folder (PG_VERSION is missing). "
            f"Move it away or restore it from a backup."
        ) from None
    if written_by != binaries.MAJOR:
        raise DataFolderUnusable(
            f"{folder.cluster} was written by PostgreSQL {written_by}; the embedded programs are version "
            f"{binaries.MAJOR}. Dump it with version {written_by}, move the folder away, load the dump."
        )


async def create(folder: Folder, installation: Installation) -> None:
    """initdb: UTF-8, code point order whatever the machine's locale is, checksums, passwords only.

    A first start that is cut short leaves no half-made cluster that the next one would take for a whole one.
    """
    fresh, password_file = folder.path / "cluster.new", folder.path / "initdb.password"
    try:
        await stop_leftovers(fresh)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        write_private(password_file, secret(folder.superuser_password))
        if installation.account is not None:
            for path in (fresh, password_file):
                os.chown(path, installation.account.uid, installation.account.gid, follow_symlinks=False)
        await _initdb(fresh, password_file, installation, cwd=folder.path)
        fresh.replace(folder.cluster)
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)


async def _initdb(target: Path, password_file: Path, installation: Installation, *, cwd: Path) -> None:
    said: deque[str] = deque(maxlen=20)
    process = await ChildProcess.spawn(
        [
            str(installation.programs / "initdb"),
            f"--pgdata={target}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth-host=scram-sha-256",
            "--auth-local=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        ],
        on_line=said.append,
        env=environment(),
        cwd=cwd,
        account=installation.account,
    )
    try:
        code = await process.wait()
    finally:
        process.kill()
    if code != 0:
        raise ServiceFailed.with_log(
            f"The embedded PostgreSQL could not create its data in {target.parent} ({describe_exit(code)}).",
            said,
        )
