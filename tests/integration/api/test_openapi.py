"""The published description."""

import orjson

from gateway.app import routes_only
from gateway.openapi import FILE, document_of
from tests.support.api import Api


def test_the_committed_description_is_the_one_the_routes_have() -> None:
    assert FILE.read_bytes() == document_of(routes_only()), (
        "run `python -m gateway.openapi` and commit the file"
    )


def test_every_operation_has_an_own_id_a_permission_and_a_problem_answer() -> None:
    document = orjson.loads(FILE.read_bytes())
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(operation["x-permission"] and operation["responses"]["default"] for operation in operations)
    named = set(document["components"]["schemas"])
    assert set(_refs(document)) <= {f"#/components/schemas/{name}" for name in named}


def _refs(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _refs(value)]
    return [ref for value in node for ref in _refs(value)] if isinstance(node, list) else []


async def test_the_description_is_served_without_signing_in(api: Api) -> None:
    del api.client.headers["authorization"]

    response = await api.client.get("/api/v1/openapi.json")

    assert response.content == FILE.read_bytes()
