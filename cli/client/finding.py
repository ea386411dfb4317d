"""One object by its name or its id."""

from typing import Any
from uuid import UUID

from cli.client.api import Api
from cli.client.nearness import did_you_mean
from cli.client.problems import CliError


async def find_named(api: Api, plural: str, name_or_id: str) -> dict[str, Any]:
    """A job, target or credential, by its id or its whole name; raises `CliError` with near names."""
    try:
        found_id = str(UUID(name_or_id))
    except ValueError:
        found_id = await _id_of(api, plural, name_or_id)
    found: dict[str, Any] = await api.get(f"/api/v1/{plural}/{found_id}")
    return found


async def _id_of(api: Api, plural: str, name: str) -> str:
    named = None if plural == "credentials" else name
    listed = await api.pages(f"/api/v1/{plural}", name=named)
    same = [item for item in listed if item["name"] == name]
    same = same or [item for item in listed if item["name"].lower() == name.lower()]
    if len(same) == 1:
        return str(same[0]["id"])
    known = [item["name"] for item in listed or await api.pages(f"/api/v1/{plural}")]
    hints = (*did_you_mean(name, known), f"All of them: opsconductor get {plural}")
    raise CliError(f"There is no {plural.removesuffix('s')} named {name!r}.", hints=hints)
