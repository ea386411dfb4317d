import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.embedded.errors import PortTaken
from infra.embedded.ports import RememberedPorts, is_free, require_port
from infra.private_files import default_data_dir
from tests.support.ports import free_port
from tests.support.processes import ROOT


@pytest.mark.parametrize(
    ("environment", "uid", "folder"),
    [
        ({"OPS_DATA_DIR": "/srv/ops", "HOME": "/root"}, 0, "/srv/ops"),
        ({"HOME": "/root"}, 0, "/var/lib/opsconductor"),
        ({"HOME": "/home/ann"}, 1000, "/home/ann/.local/share/opsconductor"),
        ({"HOME": "/home/ann", "XDG_DATA_HOME": "/data/ann"}, 1000, "/data/ann/opsconductor"),
    ],
)
def test_data_goes_where_its_server_can_reach_it(environment: dict[str, str], uid: int, folder: str) -> None:
    assert default_data_dir(environment, uid=uid) == Path(folder)


def test_a_preferred_port_that_is_free_is_taken_and_remembered(tmp_path: Path) -> None:
    preferred = free_port()
    assert RememberedPorts(tmp_path / "ports.json").choose("amqp", preferred=preferred).note is None

    again = RememberedPorts(tmp_path / "ports.json").choose("amqp", preferred=1)

    assert (again.port, again.note) == (preferred, None)


def test_a_taken_port_gives_way_to_another_one_with_a_note(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        taken = other.getsockname()[1]
        ports = RememberedPorts(tmp_path / "ports.json")

        chosen = ports.choose("postgres", preferred=taken)

        assert chosen.port != taken
        assert is_free(chosen.port)
        assert chosen.note == f"Port {taken} for postgres is taken; using {chosen.port} from now on."
    assert ports.choose("postgres", preferred=taken).port == chosen.port


def test_two_names_never_share_a_port(tmp_path: Path) -> None:
    ports = RememberedPorts(tmp_path / "ports.json")
    preferred = free_port()
    first, second = (ports.choose(name, preferred=preferred).port for name in ("postgres", "amqp"))
    assert first != second


CHOOSE_AND_WAIT = """
import sys
from pathlib import Path
from infra.embedded.ports import RememberedPorts
print(RememberedPorts(Path(sys.argv[1])).choose("workers", preferred=int(sys.argv[2])).port, flush=True)
sys.stdin.read()
"""


@pytest.mark.timeout(400)
def test_two_that_choose_before_either_listens_never_choose_the_same_port(tmp_path: Path) -> None:
    preferred = free_port()
    other = subprocess.Popen(
        [sys.executable, "-c", CHOOSE_AND_WAIT, str(tmp_path / "other.json"), str(preferred)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())

        ours = RememberedPorts(tmp_path / "ours.json").choose("workers", preferred=preferred).port

        assert theirs != ours
        other.communicate("", timeout=30)


@pytest.mark.parametrize("content", ["", "[]", '{"amqp": "x"}', '{"amqp": 70000}', "{"])
def test_an_unreadable_memory_is_begun_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)
    preferred = free_port()
    assert RememberedPorts(tmp_path / "ports.json").choose("amqp", preferred=preferred).port == preferred


def test_the_public_port_is_never_exchanged_quietly() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        taken = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {taken} on 127\.0\.0\.1, needed for the web.*OPS_PORT"):
            require_port(taken, host="127.0.0.1", purpose="the web page and API", setting="OPS_PORT")
    require_port(taken, host="127.0.0.1", purpose="the web page and API", setting="OPS_PORT")


def test_an_address_that_is_not_ours_is_an_error_and_not_a_taken_port() -> None:
    with pytest.raises(OSError, match=r"[Aa]ssign"):
        is_free(8080, host="192.0.2.1")
