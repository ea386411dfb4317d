"""Documents as people keep them in files: `{apiVersion, kind, metadata, spec}`, checked field by field."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict

from cli.client.problems import CliError
from contracts.errors import FieldProblem
from contracts.jobs.yamltext import Place
from contracts.naming import Labels, ResourceName

API_VERSION = "opsconductor/v1"
Ref = tuple[str, str]
"""Kind and name: what documents call one another by."""


class Strict(BaseModel):
    """An unknown field is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Metadata(Strict):
    """`labels` left out: those it has stay."""

    name: ResourceName
    labels: Labels | None = None


class Envelope(Strict):
    """What every document has in common."""

    apiVersion: Literal["opsconductor/v1"]  # noqa: N815  (the spelling of every such document)
    metadata: Metadata


class Locates(Protocol):
    """Knows where fields stand."""

    def of(self, problem: FieldProblem) -> Place | None: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document stands."""

    file: str
    places: Locates

    def fault(self, path: str, reason: str, line: int | None = None) -> "Fault":
        """`line` counts within the text at `path`, as a script's lines do."""
        place = self.places.of(FieldProblem(path, reason, line))
        return Fault(self.file, place[0] if place else 1, f"{path}: {reason}" if path else reason)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong in a file."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Reference:
    """Another object that a document names, and the field in which it does."""

    to: Ref
    path: str


class Kind(ABC):
    """What there is to know of one kind: how its documents look, and how they become requests."""

    name: ClassVar[str]
    plural: ClassVar[str]
    model: ClassVar[type[Envelope]]

    def check(self, document: Any) -> Sequence[FieldProblem]:
        """What the model alone cannot say."""
        return ()

    def references(self, document: Any) -> Iterable[Reference]:
        return ()

    @abstractmethod
    def normal(self, document: Any) -> dict[str, Any]:
        """The document with every default filled in: two that mean the same are equal."""

    @abstractmethod
    def exported(self, view: Mapping[str, Any]) -> dict[str, Any]:
        """The document of a stored object, in its shortest form."""

    @abstractmethod
    def body(self, document: Any, ids: Mapping[Ref, str]) -> dict[str, Any]:
        """What the API is sent to create or replace it."""

    def source(self, document: Any, text: str, root: yaml.Node) -> str | None:
        """What the server is to keep of the document's text in a file, beside its meaning."""
        return None

    def wrapped(self, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
        return {"apiVersion": API_VERSION, "kind": self.name, "metadata": dict(metadata), "spec": dict(spec)}


@dataclass(frozen=True, slots=True)
class Document:
    """One valid document of a file."""

    kind: Kind
    parsed: Any
    origin: Origin
    source: str | None = None
    """Its text, where the server keeps that: with comments, without the envelope."""

    @property
    def name(self) -> str:
        return str(self.parsed.metadata.name)

    @property
    def ref(self) -> Ref:
        return self.kind.name, self.name


@dataclass(slots=True)
class Reading:
    """What files held: documents, and everything that is wrong with the rest."""

    documents: list[Document] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def refuse(faults: Sequence[Fault], *, what: str = "Nothing was changed") -> None:
    """Raises `CliError` naming every fault by file and line, when there are any."""
    if faults:
        lines = [str(fault) for fault in sorted(set(faults))]
        many = f"there are {len(lines)} problems" if len(lines) > 1 else "there is a problem"
        raise CliError(f"{what}: {many}.", hints=lines)
