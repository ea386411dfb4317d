"""JSON Schema (2020-12) of each kind of document, for editors."""

from typing import Any

from cli.kinds.documents import Kind
from contracts.jobs.schema import job_schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def document_schema(kind: Kind) -> dict[str, Any]:
    """The schema of one document of this kind."""
    schema = kind.model.model_json_schema()
    schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
    if kind.name == "Job":
        definition = job_schema()
        definition.pop("$schema")
        schema["$defs"] |= definition.pop("$defs", {})
        definition["properties"].pop("name")
        definition["required"] = [name for name in definition["required"] if name != "name"]
        schema["properties"]["spec"] = definition
    return {"$schema": _DIALECT, **schema}
