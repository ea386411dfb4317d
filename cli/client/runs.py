"""What commands do with runs through the API."""

import asyncio
from typing import Any
from uuid import UUID

from cli.client.api import Api
from cli.client.problems import CliError
from contracts.runs.states import RUN_TERMINAL

POLL_SECONDS = 0.3
TERMINAL = frozenset(status.value for status in RUN_TERMINAL)
BAD_TASKS = ("failed", "timed_out", "unknown", "cancelled")

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


async def find_job(api: Api, name_or_id: str) -> dict[str, Any]:
    """The job with its definition, by id or by its whole name; raises `CliError` with near names."""
    try:
        job_id = str(UUID(name_or_id))
    except ValueError:
        found = await api.pages("/api/v1/jobs", name=name_or_id)
        exact = [job for job in found if job["name"] == name_or_id]
        exact = exact or [job for job in found if job["name"].lower() == name_or_id.lower()]
        if len(exact) != 1:
            raise _no_such_job(name_or_id, [job["name"] for job in found]) from None
        job_id = exact[0]["id"]
    job: dict[str, Any] = await api.get(f"/api/v1/jobs/{job_id}")
    return job


def _no_such_job(name: str, near: list[str]) -> CliError:
    hints = [f"Did you mean {' or '.join(repr(other) for other in near[:3])}?"] if near else []
    return CliError(f"There is no job named {name!r}.", hints=(*hints, "All jobs: opsconductor jobs list"))


def typed_parameters(definition: dict[str, Any], given: list[str]) -> dict[str, Any]:
    """`name=value` texts as values of the types that the job declares; raises `CliError` naming bad ones."""
    declared = definition.get("parameters") or {}
    values: dict[str, Any] = {}
    problems = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            problems.append(f"{text!r}: write it as name=value")
        elif name not in declared:
            problems.append(f"{name}: is not a parameter of this job; it has {_names(declared)}")
        else:
            try:
                values[name] = _typed(_type_of(declared[name]), value)
            except ValueError:
                problems.append(f"{name}: {value!r} is not {_type_of(declared[name])}")
    if problems:
        raise CliError("These parameters cannot be used.", hints=problems)
    return values


def _names(declared: dict[str, Any]) -> str:
    return ", ".join(declared) if declared else "none"


def _type_of(spec: Any) -> str:
    """The declared type; of the plain map of defaults, that of the default."""
    if isinstance(spec, dict):
        return str(spec.get("type", "string"))
    if isinstance(spec, bool):
        return "boolean"
    if isinstance(spec, int):
        return "integer"
    return "number" if isinstance(spec, float) else "string"


def _typed(kind: str, text: str) -> Any:
    if kind == "boolean":
        if text.lower() not in _BOOLEANS:
            raise ValueError(text)
        return _BOOLEANS[text.lower()]
    if kind == "integer":
        return int(text)
    return float(text) if kind == "number" else text


async def until_ended(api: Api, run_id: str) -> dict[str, Any]:
    """The run, once it has ended."""
    while True:
        run: dict[str, Any] = await api.get(f"/api/v1/runs/{run_id}")
        if run["status"] in TERMINAL:
            return run
        await asyncio.sleep(POLL_SECONDS)
