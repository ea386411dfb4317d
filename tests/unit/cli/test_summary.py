"""What `up` tells at its end can be typed into another terminal as it stands there."""

from pathlib import Path

import pytest

from cli.places import DataFolder
from cli.up.screen import Screen
from cli.up.summary import Summary, show


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "my data")


def _told(folder: DataFolder, capsys: pytest.CaptureFixture[str]) -> str:
    url = "http://127.0.0.1:8080"
    told = Summary(url=url, folder=folder, username="admin", password=None, chosen=False, samples=True)
    show(Screen(colours=False), told)
    return capsys.readouterr().out


def test_commands_that_look_into_a_folder_of_ones_own_name_it(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPS_DATA_DIR", str(folder.path))
    told = _told(folder, capsys)

    prefix = f"OPS_DATA_DIR='{folder.path}' "
    for words in ("doctor", "admin reset-password"):
        [line] = [line for line in told.splitlines() if line.endswith(words)]
        assert prefix in line
    assert told.count(prefix) == 2, "what goes over HTTP needs no folder"


def test_the_usual_folder_needs_no_word(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPS_DATA_DIR", raising=False)

    assert "OPS_DATA_DIR=" not in _told(folder, capsys)
