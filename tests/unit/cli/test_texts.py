"""Text as other programs leave it, and names of objects as names of files."""

import resource
import signal
from pathlib import Path

import pytest

from cli.client.problems import CliError
from cli.client.texts import decoded, file_text, replace_text
from cli.kinds.filenames import LONGEST_BYTES, file_stem

WORDS = "name: Größe\nwhy: Ж\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_are_read_as_editors_and_powershell_write_them(tmp_path: Path, encoding: str, end: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_bytes(WORDS.replace("\n", end).encode(encoding))

    assert file_text(file) == WORDS


def test_what_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("größe".encode("cp1252"))
    with pytest.raises(CliError, match="x is not text in UTF-8"):
        file_text(tmp_path / "x")
    with pytest.raises(UnicodeDecodeError):
        decoded(b"\xff\xfe\x00")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    replace_text(file, WORDS)
    assert file.read_bytes() == WORDS.encode()

    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            replace_text(file, "more" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert file.read_bytes() == WORDS.encode()
    assert [found.name for found in tmp_path.iterdir()] == ["job.yaml"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Disk space", "Disk-space"),
        ("a/b\\c:d*?", "a-b-c-d--"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("..", "unnamed"),
        ("Größe", "Größe"),
        ("CON", "CON-"),
        ("aux.old", "aux.old-"),
        ("com1", "com1-"),
        ("console", "console"),
    ],
)
def test_every_name_becomes_one_that_every_system_takes(name: str, stem: str) -> None:
    assert file_stem(name) == stem


def test_long_names_are_cut_between_letters() -> None:
    assert len(file_stem("Ж" * 200).encode()) <= LONGEST_BYTES
    assert file_stem("aЖ" * 200).endswith(("a", "Ж"))
