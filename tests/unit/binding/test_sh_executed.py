"""Real shells: hostile values arrive byte for byte through every context, and nothing else runs."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.binding import check_sh, render_sh
from tests.unit.binding.shells import HOSTILE, LOCALES, SHELLS, run

# Each prints the value of `a` alone, byte for byte; END keeps `$( )` from eating trailing line ends.
CONTEXTS = (
    "printf %s {{ a }}",
    'printf %s "{{ a }}"',
    "cat <<E\n{{ a }}END\nE\n",
    "cat <<-E\n{{ a }}END\n\tE\n",
    'x=$(printf %s {{ a }}; printf END); printf %s "$x"',
    'x="$(printf "%s" "{{ a }}"; printf END)"; printf %s "$x"',
    'x=$(cat <<E\n{{ a }}END\nE\n); printf %s "$x"',
    'printf %s "$(printf %s "$(printf %sEND {{ a }})")"',
    'x={{ a }}; printf %s "$x"',
    'x="{{ a }}" ; printf %s "$x"',
    "VALUE={{ a }} sh -c 'printf %s \"$VALUE\"'",
    "export VALUE={{ a }}; sh -c 'printf %s \"$VALUE\"'",
    "sh -c 'printf %s \"$1\"' _ {{ a }}",
    'for x in {{ a }}; do printf %s "$x"; done',
    'set -- {{ a }}; printf %s "$1"; test $# = 1',
    'f() { printf %s "$1"; }; f {{ a }}',
    "case {{ a }} in *) printf %s {{ a }};; esac",
    "if [ {{ a }} = {{ a }} ]; then printf %s {{ a }}; fi",
    "{ printf %s {{ a }}; } | cat",
    "(printf %s {{ a }}) > out; cat out # {{ a }}",
    "printf %s {{ a }} 2>&1 # a comment with {{ a }} and 'a quote",
    "true && printf '%s' {{ a }} || printf no",
    "while :; do printf %s {{ a }}; break; done",
    "printf %s \\\n  {{ a }}",
    "env VALUE={{ a }} sh -c 'printf %s \"$VALUE\"'",
    "! false; printf %s {{ a }}",
)


def without_end(output: bytes) -> bytes:
    return output.removesuffix(b"\n").removesuffix(b"END")


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_hostile_value_arrives_byte_for_byte(context: str, tmp_path: Path) -> None:
    turn = CONTEXTS.index(context)
    for number, value in enumerate(HOSTILE):
        shell, locale = SHELLS[(number + turn) % len(SHELLS)], LOCALES[number % len(LOCALES)]
        ran = run(shell, render_sh(context, {"a": value}), tmp_path / str(number), locale=locale)

        assert not ran.canary
        output = ran.stdout if "END" not in context else without_end(ran.stdout)
        assert output == value.encode(), (shell, value, ran)


def test_dash_and_bash_are_there_to_be_asked() -> None:
    assert {Path(shell[0]).name for shell in SHELLS} >= {"dash", "bash"}


@settings(max_examples=40)
@given(
    value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    context=st.sampled_from(CONTEXTS),
    shell=st.sampled_from(SHELLS),
    locale=st.sampled_from(LOCALES),
)
def test_any_text_arrives_byte_for_byte(
    value: str, context: str, shell: tuple[str, ...], locale: str
) -> None:
    with TemporaryDirectory() as folder:
        ran = run(shell, render_sh(context, {"a": value}), Path(folder), locale=locale)

    output = ran.stdout if "END" not in context else without_end(ran.stdout)
    assert output == value.encode()


_JOINED = (
    "{{ a }}¦\"¦'¦$(¦`¦)¦((¦))¦$((¦${¦}¦{¦\\¦\n¦ ¦;¦|¦||¦&&¦&¦<<E¦<<'E'¦\nE\n¦#¦echo ¦"
    "eval ¦sh -c ¦[[ ¦ ]]¦ -eq ¦x=¦x¦$¦case ¦ in ¦ esac¦;;¦if ¦ then ¦ fi¦for ¦ do ¦ done¦"
    "! ¦$'¦$\"¦[ ¦ ]¦let ¦printf ¦-v ¦test ¦export ¦declare -i ¦(¦>¦<¦&>¦=¦+=¦y[¦]¦"
    "function ¦cat ¦xargs ¦- ¦unset ¦true¦:¦f() ¦~¦\\\n¦<<<¦\t¦<(¦exec ¦read ¦trap ¦ EXIT¦"
    "command ¦env ¦awk ¦sed ¦ -- ¦while ¦select ¦time ¦}}¦{ ¦; }¦@(¦=~ ¦. ¦source ¦flock ¦"
    'timeout ¦bash -s ¦-- ¦"{{ a }}"¦${x:-¦$x ¦"$@" ¦ EXIT¦$[¦coproc ¦python3 -c ¦'
    "perl -e ¦find . -exec ¦| sh¦local "
)
FRAGMENTS = tuple(_JOINED.split("¦"))
ATTACKS = (
    "$(touch canary)",
    "`touch canary`",
    "x[$(touch canary)]",
    "touch canary",
    "; touch canary;",
    "'; touch canary; '",
    '"; touch canary; "',
    "\ntouch canary\n",
    "-vx[$(touch canary)]",
    "a)touch canary;;",
    'BEGIN{system("touch canary")}',
    "1e touch canary",
    "E\ntouch canary\n",
    "}; touch canary; {",
    "PATH=. touch canary",
    "./evil",
    "evil",
)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(
    parts=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12),
    attack=st.sampled_from(ATTACKS),
    shell=st.sampled_from(SHELLS),
)
def test_whatever_is_accepted_never_executes_the_value(
    parts: list[str], attack: str, shell: tuple[str, ...]
) -> None:
    script = "echo " + "".join(parts) + " {{ a }}\n"
    if check_sh(script, {"a"}):
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        for program in ("evil", "touched"):
            (folder / program).write_text("#!/bin/sh\ntouch canary\n")
            (folder / program).chmod(0o755)
        rendered = "PATH=$PATH:.\n" + render_sh(script, {"a": attack})
        assert not run(shell, rendered, folder).canary, (script, attack)
