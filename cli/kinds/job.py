"""Jobs as documents. `spec` is the job's definition, without the name."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from cli.kinds.documents import Envelope, Kind, Metadata, Ref, Reference
from cli.kinds.yamltexts import source_of
from contracts.errors import FieldProblem, Invalid
from contracts.jobs.definition import parse_definition
from contracts.jobs.yamltext import ordered
from contracts.targets.choosing import names_in


class JobMetadata(Metadata):
    """`active: false` with a reason: runs of it are refused."""

    active: bool = True
    inactive_reason: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None


class JobDocument(Envelope):
    kind: Literal["Job"]
    metadata: JobMetadata
    spec: dict[str, Any]


class JobKind(Kind):
    name = "Job"
    plural = "jobs"
    model = JobDocument

    def check(self, document: JobDocument) -> Sequence[FieldProblem]:
        if "name" in document.spec:
            return [FieldProblem("spec.name", "the name of a job stands in metadata")]
        if document.metadata.active and document.metadata.inactive_reason:
            return [FieldProblem("metadata.inactive_reason", "an active job has none; or set active: false")]
        if not document.metadata.active and not document.metadata.inactive_reason:
            return [FieldProblem("metadata.active", "say why it is not, in inactive_reason")]
        try:
            parse_definition(_definition(document))
        except Invalid as error:
            return [FieldProblem(_place(p.field), p.reason, p.line, p.suggestion) for p in error.problems]
        return ()

    def references(self, document: JobDocument) -> Iterable[Reference]:
        definition = parse_definition(_definition(document))
        for index, name in enumerate(names_in(definition.targets)):
            yield Reference(("Target", name), f"spec.targets.{index}")
        for index, step in enumerate(definition.steps):
            for name in names_in(step.target):
                yield Reference(("Target", name), f"spec.steps.{index}.target")
            if step.named_credential is not None:
                yield Reference(("Credential", step.named_credential), f"spec.steps.{index}.credential")

    def normal(self, document: JobDocument) -> dict[str, Any]:
        definition = parse_definition(_definition(document)).model_dump(mode="json", by_alias=True)
        metadata = document.metadata.model_dump(exclude={"labels"})
        return {"metadata": metadata, "spec": definition}

    def exported(self, view: Mapping[str, Any]) -> dict[str, Any]:
        metadata: dict[str, Any] = {"name": view["name"]}
        if not view["active"]:
            metadata |= {"active": False, "inactive_reason": view["inactive_reason"] or "not told"}
        spec = {field: value for field, value in view["definition"].items() if field != "name"}
        return self.wrapped(metadata, ordered(spec))

    def source(self, document: JobDocument, text: str, root: yaml.Node) -> str | None:
        return source_of(text, root, _definition(document))

    def body(self, document: JobDocument, ids: Mapping[Ref, str]) -> dict[str, Any]:
        return {"name": document.metadata.name, "definition": _definition(document)}


def _definition(document: JobDocument) -> dict[str, Any]:
    return {"name": document.metadata.name, **document.spec}


def _place(path: str) -> str:
    return {"name": "metadata.name", "definition": "spec"}.get(path, f"spec.{path}")
