"""Binding for sh, dash, bash and busybox sh: values become shell variables, set before the script."""

from collections.abc import Collection, Mapping

from contracts.binding.model import BindingRefused, ParameterValue, Refusal
from contracts.binding.reading import judge, refusals, replaced
from contracts.binding.sh_reader import read_sh
from contracts.binding.values import EXPORTED_BYTES, problem_of, refuse_values, text_of


def check_sh(script: str, declared: Collection[str]) -> tuple[Refusal, ...]:
    """Every placeholder that cannot be bound where it stands; empty when the script is fine."""
    return refusals(script, judge(script, read_sh), declared)


def render_sh(
    script: str, parameters: Mapping[str, ParameterValue], secret: frozenset[str] = frozenset()
) -> str:
    """The complete script: shell variables set to the values as quoted data, then the script using them.

    Variables are exported unless their parameter is among `secret`. Values arrive byte for byte, in every
    locale, in dash, bash and busybox sh. A list is one text with one item a line, each line ended. A script
    without placeholders comes back unchanged. Raises `BindingRefused` for what `check_sh` refuses, and for a
    value that holds NUL or is too long to export.
    """
    verdicts = judge(script, read_sh)
    if problems := refusals(script, verdicts, parameters):
        raise BindingRefused(problems)
    used = [verdict.placeholder for verdict in verdicts]
    names = sorted({mark.name for mark in used})
    longest = {name: None if name in secret else EXPORTED_BYTES for name in names}
    refuse_values(used, {name: problem_of(parameters[name], longest=longest[name]) for name in names})
    return "".join(_assignment(name, parameters[name], secret) for name in names) + replaced(script, verdicts)


def _assignment(name: str, value: ParameterValue, secret: frozenset[str]) -> str:
    """`unset` first: a variable that came exported from outside would hand a secret on."""
    quoted = text_of(value).replace("'", "'\\''")
    first, last = (f"unset OPS_{name}\n", "") if name in secret else ("", f"export OPS_{name}\n")
    return f"{first}OPS_{name}='{quoted}'\n{last}"
