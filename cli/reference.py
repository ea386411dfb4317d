"""The reference of every command, from the very application: `python -m cli.reference` prints it."""

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer

from cli.__main__ import app

_HEAD = """# The command line

`opsconductor` starts a system on this machine (`up`) and talks to any running one over HTTP. Sign in once
with `opsconductor login`; after that every command knows where to go. This page is generated: `make openapi`
writes it anew. Documents, output forms and exit codes: [Working from a terminal](terminal.md).
"""
_HIDDEN = {"help", "install_completion", "show_completion"}
_SHARED = {"output", "query", "no_headers", "context", "url"}


def reference() -> str:
    """The whole page."""
    return _HEAD + "".join(_command(typer.main.get_command(app), ("opsconductor",)))


def _command(command: Any, words: tuple[str, ...]) -> Iterator[str]:
    context = command.make_context(words[-1], [], resilient_parsing=True)
    if hasattr(command, "list_commands"):
        if len(words) > 1:
            yield f"\n## `{' '.join(words)}`\n\n{_prose(command.help)}\n"
        for name in command.list_commands(context):
            yield from _command(command.get_command(context, name), (*words, name))
        return
    level = "##" if len(words) == 2 else "###"  # noqa: PLR2004  (a command of its own, or one of a group)
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    shown = " ".join((p.metavar or p.name.upper()) for p in arguments)
    yield f"\n{level} `{' '.join(words)}{' ' + shown if shown else ''}`\n\n{_prose(command.help)}\n"
    options = [p for p in command.params if p.param_type_name == "option" and p.name not in _HIDDEN]
    client = any(option.name == "output" for option in options)
    own = [option for option in options if not (client and _is_shared(option))]
    if own:
        yield "\n| option | what it does |\n|---|---|\n"
        yield from (_option(option, context) for option in own)
    if client:
        shared = [f"`--{option.name.replace('_', '-')}`" for option in options if _is_shared(option)]
        yield f"\nBesides: {', '.join(shared)}.\n"


def _is_shared(option: Any) -> bool:
    return option.name in _SHARED and option.rich_help_panel is not None


def _prose(help_text: str | None) -> str:
    """The help, its examples as a block of commands."""
    text = inspect.cleandoc(help_text or "")
    lines, examples = [], []
    for line in text.splitlines():
        single = line.removeprefix("Example: ")
        if single != line or line.startswith(("  opsconductor", "  ansible-inventory")):
            examples.append(single.strip())
        elif line.strip() != "Examples:":
            lines.append(line)
    prose = "\n".join(lines).strip()
    while "\n\n\n" in prose:
        prose = prose.replace("\n\n\n", "\n\n")
    return prose + ("\n\n```sh\n" + "\n".join(examples) + "\n```" if examples else "")


def _option(option: Any, context: Any) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len))
    value = "" if option.is_flag else f" {_value(option, context)}"
    words = (option.help or "").replace("|", "\\|")
    return f"| {names}{value} | {'Required. ' if option.required else ''}{words} |\n"


def _value(option: Any, context: Any) -> str:
    if option.metavar:
        return str(option.metavar).replace("|", "\\|")
    shown = str(option.display_type(context)).strip("<>")
    if shown.startswith(("int", "float")):
        return "N"
    return "TEXT" if shown.startswith(("str", "list", "path")) else shown.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
