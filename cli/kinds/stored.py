"""What the server holds: every object by kind and name, with its document."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cli.client.api import Api
from cli.kinds.documents import Kind, Ref
from cli.kinds.registry import KINDS
from cli.kinds.yamltexts import written
from contracts.naming import SOURCE_LABEL

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """Jobs are listed without their definitions: `full` reads the ones that matter."""

    views: Mapping[Ref, dict[str, Any]]

    def ids(self) -> dict[Ref, str]:
        return {ref: view["id"] for ref, view in self.views.items()}

    def owned_by(self, source: str) -> set[Ref]:
        return {ref for ref, view in self.views.items() if view["labels"].get(SOURCE_LABEL) == source}


async def read_stored(api: Api, kinds: Collection[Kind] = KINDS) -> Stored:
    """Every object of these kinds."""
    lists = [await api.pages(f"/api/v1/{kind.plural}") for kind in kinds]
    return Stored(
        {(kind.name, view["name"]): view for kind, views in zip(kinds, lists, strict=True) for view in views}
    )


async def in_full(
    api: Api, stored: Stored, kinds: Mapping[str, Kind], wanted: Callable[[Ref], bool]
) -> dict[Ref, tuple[dict[str, Any], str | None]]:
    """The wanted objects with their definitions and ETags, a few at once."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(ref: Ref, view: Mapping[str, Any]) -> tuple[Ref, tuple[dict[str, Any], str | None]]:
        async with turns:
            return ref, await api.tagged(f"/api/v1/{kinds[ref[0]].plural}/{view['id']}")

    return dict(await asyncio.gather(*(one(ref, view) for ref, view in stored.views.items() if wanted(ref))))


@dataclass(frozen=True, slots=True)
class Exported:
    """One stored object as a document, and as the file that says so."""

    document: dict[str, Any]
    text: str


def with_labels(document: dict[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """The document with labels in its metadata, where it has any."""
    if not labels:
        return document
    return document | {"metadata": document["metadata"] | {"labels": dict(sorted(labels.items()))}}


def exported(kind: Kind, view: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a stored object; whose it is stays out: who applies it says that."""
    labels = {name: value for name, value in view["labels"].items() if name != SOURCE_LABEL}
    return with_labels(kind.exported(view), labels)


def exported_as_file(kind: Kind, view: Mapping[str, Any]) -> Exported:
    document = exported(kind, view)
    return Exported(document, written(document, view.get("source")))
