"""The gate's input: complete in every order of sends, and harmless when it is cut, doubled or mixed up."""

import asyncio
import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.sandbox.windows import gate
from workers.executor.steps.winrm_exec import bootstrap
from workers.executor.steps.winrm_exec.bootstrap import Kind
from workers.executor.steps.winrm_exec.runners import runner

NONCE = "0123456789abcdef0123456789abcdef"
CMD_LIMIT, ENVELOPE_BYTES = 8191, 150_000


def what_runs(data: bytes) -> bytes | None:
    """The script that the simulated bootstrap takes from this input."""

    async def read() -> bytes | None:
        stdin = asyncio.StreamReader()
        stdin.feed_data(data)
        stdin.feed_eof()
        return await gate.read_script(gate.Gate("powershell", NONCE), stdin)

    return asyncio.run(read())


@given(body=st.binary(max_size=300), cut=st.integers(0, 600))
def test_input_behind_the_cut_off_input_of_a_lost_worker_runs_whole(body: bytes, cut: int) -> None:
    whole = b"".join(bootstrap.sends(body, NONCE))

    assert what_runs(whole[:cut] + whole) == body


@given(body=st.binary(max_size=300), cut=st.integers(0, 600))
def test_input_that_never_arrives_completely_runs_nothing(body: bytes, cut: int) -> None:
    whole = b"".join(bootstrap.sends(body, NONCE))

    assert what_runs(whole[: min(cut, len(whole) - 2)]) is None


@given(body=st.binary(max_size=300), at=st.integers(0, 299))
def test_input_that_was_changed_never_runs_anything_else(body: bytes, at: int) -> None:
    whole = bytearray(b"".join(bootstrap.sends(body + b"x", NONCE)))
    start = whole.index(b"\n", 2) + 1
    place = start + at % max(1, whole.index(b"\n#ops-run") - start)
    whole[place] = ord("A") if whole[place] != ord("A") else ord("B")

    assert what_runs(bytes(whole)) in {None, body + b"x"}


@pytest.mark.parametrize("kind", ["powershell", "pwsh", "cmd"])
def test_the_command_line_fits_cmd_and_names_the_gate(kind: Kind) -> None:
    program, arguments = bootstrap.command_line(kind, NONCE)
    script = base64.b64decode(arguments[-1]).decode("utf-16-le")

    assert len(" ".join([program, *arguments])) < CMD_LIMIT
    assert gate.gate_of(script) == gate.Gate(kind, NONCE)
    assert f"exit {gate.NEVER_OPENED}" in script


def test_sends_stay_below_the_smallest_envelope_in_use() -> None:
    pieces = bootstrap.sends(b"x" * 1_000_000, NONCE)

    assert max(len(base64.b64encode(piece)) for piece in pieces) + 4096 < ENVELOPE_BYTES
    assert what_runs(b"".join(pieces)) == b"x" * 1_000_000


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40)


@given(
    script=texts,
    environment=st.dictionaries(st.sampled_from(["OPS_a", "delayed", "cwd", "run", "Path"]), texts),
    cwd=st.none() | texts.filter(bool),
    stdin=st.none() | st.binary(max_size=40),
    delayed=st.booleans(),
)
def test_a_body_reads_back_as_it_was_made_whatever_its_variables_are_called(
    script: str, environment: dict[str, str], cwd: str | None, stdin: bytes | None, *, delayed: bool
) -> None:
    payload = bootstrap.body("cmd", script, environment=environment, cwd=cwd, stdin=stdin, delayed=delayed)

    read = gate.body_of(payload)

    assert read.script == script
    assert read.environment == {name.upper(): value for name, value in environment.items()}
    assert (read.folder, read.stdin, read.delayed) == (cwd, stdin or b"", delayed)


@pytest.mark.parametrize("kind", ["powershell", "pwsh", "cmd"])
@pytest.mark.parametrize("with_input", [True, False])
def test_what_runs_behind_the_gate_is_whole_and_the_same_for_every_step(
    kind: Kind, *, with_input: bool
) -> None:
    text = runner(kind, with_input=with_input)

    assert f"exit {gate.NO_FOLDER}" in text
    assert text.index("#ops-open $n") < text.index("$s")
    for word in ("EXIT", "FEED", "CHILD", "NO_FOLDER", "NEVER_OPENED", "LENGTH_DIGITS"):
        assert f"<{word}>" not in text
    assert text.count("{") == text.count("}")


def test_the_second_process_of_a_script_with_input_gets_a_command_line_without_the_script() -> None:
    text = runner("powershell", with_input=True)
    encoded = text.split("-EncodedCommand ", 1)[1].split("'", 1)[0]
    child = base64.b64decode(encoded).decode("utf-16-le")

    assert len(encoded) < CMD_LIMIT
    assert f"exit {gate.NEVER_OPENED}" in child
    assert "[Console]::OpenStandardInput()" in child
    assert "<" not in child.replace("-lt", "")
    assert "-InputFormat None" in text
