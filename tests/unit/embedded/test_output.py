from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.logs import BoundedLog, LogFolder
from infra.embedded.process import LINE_BYTES, LineSplitter, describe_exit


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_lines_do_not_depend_on_how_the_bytes_were_cut(chunks: list[bytes]) -> None:
    splitter, whole = LineSplitter(), LineSplitter()
    data = b"".join(chunks)

    lines = [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.end()

    assert lines == whole.feed(data) + whole.end()
    assert len(lines) == data.count(b"\n") + bool(data and not data.endswith(b"\n"))


def test_a_line_without_end_is_handed_on_in_pieces() -> None:
    splitter = LineSplitter()
    assert [len(piece) for piece in splitter.feed(b"x" * (2 * LINE_BYTES + 5))] == [LINE_BYTES, LINE_BYTES]
    assert splitter.end() == ["xxxxx"]


def test_exits_are_told_in_words() -> None:
    assert describe_exit(3) == "exit code 3"
    assert describe_exit(-9) == "killed by SIGKILL"


def test_a_log_keeps_the_newest_lines_within_two_times_its_limit(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "a.log", limit=100)
    for number in range(50):
        log.write(f"line {number:03}")
    log.close()

    kept = (tmp_path / "a.log.1").read_text() + (tmp_path / "a.log").read_text()
    assert kept.endswith("line 048\nline 049\n")
    assert len(kept) <= 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1"]


def test_a_log_is_continued_and_its_earlier_size_counts(tmp_path: Path) -> None:
    for number in range(3):
        log = BoundedLog(tmp_path / "a.log", limit=20)
        log.write(f"line {number:03}")
        log.close()

    assert (tmp_path / "a.log.1").read_text() == "line 000\nline 001\n"
    assert (tmp_path / "a.log").read_text() == "line 002\n"


def test_a_log_that_cannot_be_written_costs_lines_not_the_process(tmp_path: Path) -> None:
    (tmp_path / "a.log").mkdir()
    log = BoundedLog(tmp_path / "a.log")

    log.write("gone")

    assert log.lost == 1


def test_each_name_has_its_own_log(tmp_path: Path) -> None:
    logs = LogFolder(tmp_path / "logs")
    logs.write("gateway", "ready")
    logs.write("workers", "claimed 3")
    logs.close()

    assert (tmp_path / "logs/gateway.log").read_text() == "ready\n"
    assert (tmp_path / "logs/workers.log").read_text() == "claimed 3\n"
