"""The data folder: what lies where, and where a running `up` can be reached."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.errors import DataFolderUnusable
from infra.private_files import default_data_dir, user_id, write_private


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServices:
    """Addresses of a running `up`, passwords included: kept in a file only its owner can read."""

    database_url: str
    amqp_url: str
    http_url: str
    workers_port: int


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Others may pass through it (the database's account has to), not look around."""

    path: Path

    @classmethod
    def of_environment(cls) -> "DataFolder":
        return cls(default_data_dir(os.environ, uid=user_id()))

    @property
    def lock(self) -> Path:
        return self.path / "up.lock"

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def sandbox(self) -> Path:
        return self.path / "sandbox"

    @property
    def services(self) -> Path:
        return self.path / "services.json"

    def create(self) -> None:
        """Make what is missing; raises `DataFolderUnusable`."""
        try:
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            for folder in (self.secrets, self.logs, self.sandbox):
                if not folder.exists():
                    folder.mkdir(mode=0o700)
                    self._give_to_owner(folder)
        except OSError as error:
            raise DataFolderUnusable(
                f"The data folder {self.path} cannot be used ({error.strerror}). "
                f"Give it to this user, or set OPS_DATA_DIR to another folder."
            ) from error

    def _give_to_owner(self, folder: Path) -> None:
        if user_id() == 0:
            owner = self.path.stat()
            os.chown(folder, owner.st_uid, owner.st_gid)

    def tell(self, services: RunningServices) -> None:
        """Write down where everything is, for `doctor`, `migrate` and `admin` beside a running `up`."""
        fields = {name: getattr(services, name) for name in RunningServices.__slots__}
        write_private(self.services, json.dumps(fields, indent=1))

    def forget(self) -> None:
        with suppress(OSError):  # a file left behind is overwritten by the next start
            self.services.unlink(missing_ok=True)

    def running(self) -> RunningServices | None:
        """Where a running `up` told that everything is; None when none runs here."""
        try:
            return RunningServices(**json.loads(self.services.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
