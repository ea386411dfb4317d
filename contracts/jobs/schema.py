"""The published JSON Schema (2020-12) of a job definition: `python -m contracts.jobs.schema` prints it."""

import json
import sys
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from contracts.jobs.definition import JobDefinition

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VALUE: dict[str, Any] = {"type": ["string", "integer", "number", "boolean"]}


def job_schema() -> dict[str, Any]:
    """The schema of the documents that `parse_definition` accepts, short forms included.

    What a schema cannot say is checked on saving all the same: names that exist, circles, defaults that fit.
    """
    schema = JobDefinition.model_json_schema(by_alias=True, schema_generator=_InOrder)
    parameters = schema["properties"]["parameters"]
    [pattern] = parameters["patternProperties"]
    typed = parameters["patternProperties"][pattern]
    parameters["patternProperties"][pattern] = {"anyOf": [typed, _VALUE]}
    parameters["additionalProperties"] = False
    schema["properties"]["targets"] = {"anyOf": [schema["properties"]["targets"], {"type": "string"}]}
    return {"$schema": _DIALECT, **schema}


class _InOrder(GenerateJsonSchema):
    """Keeps fields in the order in which they are declared, as people read them."""

    def sort(self, value: Any, parent_key: str | None = None) -> Any:
        return value


def schema_text() -> str:
    """The schema as the committed file holds it."""
    return json.dumps(job_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
