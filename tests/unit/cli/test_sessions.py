"""Where the command line keeps its session."""

import stat
from pathlib import Path

import pytest

from cli.client.problems import CliError
from cli.client.sessions import Session, SessionFile

HERE, THERE = "http://127.0.0.1:8080", "https://ops.example.org"


def _session(name: str) -> Session:
    return Session(username=name, access_token="a", refresh_token="r", expires_at=0.0)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionFile:
    monkeypatch.delenv("OPS_URL", raising=False)
    monkeypatch.setenv("OPS_DATA_DIR", str(tmp_path / "data"))
    return SessionFile(tmp_path / "config" / "sessions.json")


def test_only_the_owner_can_read_it(file: SessionFile) -> None:
    file.put(HERE, _session("ada"))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_sessions_of_several_places_stay_apart_and_the_last_one_counts(file: SessionFile) -> None:
    assert file.address(None) == HERE
    file.put(HERE, _session("ada"))
    file.put(THERE, _session("bob"))
    assert file.address(None) == THERE
    found = file.get(HERE)
    assert found is not None
    assert found.username == "ada"
    file.remove(HERE)
    assert file.get(HERE) is None
    assert file.get(THERE) is not None


def test_a_damaged_file_is_as_good_as_signed_out(file: SessionFile) -> None:
    file.put(HERE, _session("ada"))
    file.path.write_text('{"sessions": {"http://127.0.0.1:8080": {"other": 1}}}')
    assert file.get(HERE) is None
    file.path.write_text("{")
    assert file.get(HERE) is None


def test_an_address_without_scheme_is_refused(file: SessionFile) -> None:
    with pytest.raises(CliError, match="is no address"):
        file.address("ops.example.org")


def test_tokens_are_not_in_the_representation() -> None:
    assert "access_token" not in repr(_session("ada"))
