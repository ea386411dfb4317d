"""The pure parts: telling our lines from output, and shell text that any login shell passes on unchanged."""

import asyncio
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.executor.steps.ssh_exec import stopper, wrapper
from workers.executor.steps.ssh_exec.marks import Mark, MarkedStream
from workers.executor.steps.ssh_exec.shell_text import ShellText

NONCE = "aabaab0aabaab1"
TEXTS = {"run": wrapper.RUN, "stop": stopper.STOP, "drop": stopper.DROP}

pieces = st.lists(
    st.one_of(
        st.binary(max_size=20).filter(lambda data: NONCE.encode() not in data),
        st.sampled_from([b"aab", b"aabaab", b"aabaab0aaba", b"\n", b"\0"]),
        st.lists(st.sampled_from(["end", "0", "begin", "stdout"]), min_size=1, max_size=3).map(tuple),
    ),
    max_size=12,
)


@given(pieces=pieces, cuts=st.lists(st.integers(min_value=1, max_value=9), max_size=80))
def test_marks_and_output_come_apart_wherever_the_stream_is_cut(
    pieces: list[bytes | tuple[str, ...]], cuts: list[int]
) -> None:
    wire = (
        b"".join(
            piece if isinstance(piece, bytes) else f"{NONCE} {' '.join(piece)}\n".encode() for piece in pieces
        )
        + f"{NONCE} end\n".encode()
    )
    stream = MarkedStream(NONCE)
    found: list[bytes | Mark] = []
    for cut in [*cuts, len(wire)]:
        found += stream.feed(wire[:cut])
        wire = wire[cut:]

    raw = b"".join(piece for piece in found if isinstance(piece, bytes))
    marks = [piece.words for piece in found if isinstance(piece, Mark)]
    assert raw == b"".join(piece for piece in pieces if isinstance(piece, bytes))
    assert marks == [*(piece for piece in pieces if isinstance(piece, tuple)), ("end",)]


def test_output_that_cannot_be_a_mark_is_not_held_back() -> None:
    stream = MarkedStream(NONCE)

    assert stream.feed(b"hello aab") == [b"hello "]
    assert stream.feed(b"!") == [b"aab!"]


def test_text_that_a_login_shell_could_change_is_refused() -> None:
    for text in ("echo 'a'", "echo \\", "[ ! -e x ]"):
        with pytest.raises(ValueError, match="login shell"):
            ShellText.of(text)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh", "ksh", "mksh", "zsh --emulate sh"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_posix_shell_reads_the_texts(shell: str, text: ShellText) -> None:
    program, *options = shell.split()
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    checked = subprocess.run([program, *options, "-n", "-c", text.line], capture_output=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.parametrize("login_shell", ["sh", "bash", "tcsh", "csh", "fish", "zsh"])
async def test_every_login_shell_passes_the_text_on(login_shell: str) -> None:
    if shutil.which(login_shell) is None:
        pytest.skip(f"{login_shell} is not installed")
    shell = await asyncio.create_subprocess_exec(
        login_shell,
        "-c",
        wrapper.RUN.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    out, err = await shell.communicate(b"n0nce old sh sh 0\n/no/such/folder\n%s\\n\n")

    assert (out, err) == (b"n0nce fault missing\n", b"")
