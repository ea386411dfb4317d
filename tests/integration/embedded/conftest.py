import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.embedded.postgres.leftovers import server_processes
from tests.support.ports import free_port


@contextmanager
def _enterable_folder() -> Iterator[Path]:
    """A folder any user can enter (pytest's are for their owner only), and no server left behind in it."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    left_over = [pid for cluster in folder.glob("**/cluster") for pid in server_processes(cluster)]
    shutil.rmtree(folder)
    assert not left_over


@pytest.fixture
def place() -> Iterator[Path]:
    with _enterable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder for the tests of a module that do not mind earlier data; the first one creates it."""
    with _enterable_folder() as folder:
        yield folder / "data"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Nothing that was opened stays open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    yield
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
