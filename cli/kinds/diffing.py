"""Differences between documents, as people read them."""

from collections.abc import Iterator
from difflib import unified_diff

from cli.kinds.planning import Change


def difference(change: Change) -> Iterator[str]:
    """The lines of a unified diff; none where nothing differs."""
    before, after = (change.before or "").splitlines(), (change.text or "").splitlines()
    name = f"{change.kind.name.lower()}/{change.name}"
    old = "/dev/null" if change.before is None else f"server/{name}"
    new = "/dev/null" if change.text is None else f"files/{name}"
    yield from unified_diff(before, after, old, new, lineterm="")
    if change.action == "changed" and change.new_secrets:
        yield f"# {name}: its secrets are given anew"
