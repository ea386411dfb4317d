"""Jump hosts among documents: no circles, not too many in a row, and who is jumped through comes first."""

from collections.abc import Sequence

from cli.kinds.documents import Document, Fault
from cli.kinds.stored import Stored
from contracts.targets.specs import JUMPS_AT_MOST

_PATH = "spec.ssh.jump_host.target"


def jump_faults(documents: Sequence[Document], stored: Stored) -> list[Fault]:
    """Ways that never end or are too long, with what is stored already taken into account."""
    jumps = _stored_jumps(stored) | _jumps(documents)
    faults = []
    for document in documents:
        if document.kind.name != "Target" or not jumps.get(document.name):
            continue
        way = [document.name]
        while (step := jumps.get(way[-1])) is not None and len(way) <= JUMPS_AT_MOST + 1:
            way.append(step)
            if step == document.name:
                faults.append(document.origin.fault(_PATH, f"goes in a circle: {' → '.join(way)}"))
                break
        else:
            if len(way) > JUMPS_AT_MOST + 1:
                reason = f"more than {JUMPS_AT_MOST} jump hosts in a row: {' → '.join(way)}"
                faults.append(document.origin.fault(_PATH, reason))
    return faults


def jumps_first(documents: Sequence[Document]) -> list[Document]:
    """The same documents; a target stands after the one it is reached through."""
    jumps, by_name = _jumps(documents), {d.name: d for d in documents if d.kind.name == "Target"}
    done: dict[int, Document] = {}

    def take(document: Document) -> None:
        if id(document) in done:
            return
        done[id(document)] = document
        through = jumps.get(document.name) if document.kind.name == "Target" else None
        if through in by_name:
            del done[id(document)]
            waiting.add(document.name)
            if through not in waiting:
                take(by_name[through])
            done[id(document)] = document

    waiting: set[str] = set()
    for document in documents:
        take(document)
    return list(done.values())


def _jumps(documents: Sequence[Document]) -> dict[str, str | None]:
    return {
        document.name: jump.target if (jump := document.parsed.spec.ssh.jump_host) else None
        for document in documents
        if document.kind.name == "Target"
    }


def _stored_jumps(stored: Stored) -> dict[str, str | None]:
    return {
        name: (view["ssh"].get("jump_host") or {}).get("target")
        for (kind, name), view in stored.views.items()
        if kind == "Target"
    }
