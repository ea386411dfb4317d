"""The page of all causes for the documentation: `python -m contracts.causes.help.page` prints it."""

import sys
from collections.abc import Iterator

from contracts.causes import CAUSES
from contracts.causes.help import GROUPS, RETRY_WORDS, Help, what_it_says

_HEAD = """# When something fails

Whatever fails has a cause with a name of its own. A run shows it beside the step, grouped with the others of
its kind, the connection test beside its stage, and the command line tells it by `opsconductor explain NAME`.
Behind each name in the client stands this help; it is built in and needs no way out to the net.
"""


def page() -> str:
    """Every cause in plain words, with an anchor of its name."""
    return "\n".join([_HEAD, *_groups()]).rstrip() + "\n"


def _groups() -> Iterator[str]:
    for title, causes in GROUPS.items():
        yield f"## {title}\n"
        for code, help_ in causes.items():
            yield from _cause(code, help_)


def _cause(code: str, help_: Help) -> Iterator[str]:
    yield f"### {code}\n"
    yield f"**{help_.title}.** It says: “{what_it_says(code)}”\n"
    yield f"{help_.why}\n"
    yield from (f"- {step}" for step in help_.steps)
    yield ""
    if help_.settings:
        yield f"Settings: {', '.join(f'`{name}`' for name in help_.settings)}.\n"
    yield f"{RETRY_WORDS[CAUSES[code].retry]}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
