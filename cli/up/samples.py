"""The sample credentials, targets and jobs: made and run through the API, as a user would."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.client.api import Api
from cli.up.secrets import SANDBOX_USER

WINDOWS_JOB = "Sample Windows Service Restart"
LINUX_JOB = "Sample Linux Countdown"

JOBS: tuple[dict[str, Any], ...] = (
    {
        "name": WINDOWS_JOB,
        "version": 1,
        "parameters": {"svc": "Spooler"},
        "steps": [
            {
                "type": "winrm.exec",
                "shell": "powershell",
                "target": "sample-windows-server",
                "command": "Restart-Service {{ svc }}; (Get-Service {{ svc }}).Status",
                "timeoutSec": 90,
            }
        ],
    },
    {
        "name": LINUX_JOB,
        "description": "Counts down with small pauses, so that live output can be watched.",
        "parameters": {
            "start": {"type": "integer", "default": 5, "minimum": 1, "maximum": 1000},
            "message": {"type": "string", "default": "Liftoff."},
        },
        "steps": [
            {
                "name": "countdown",
                "type": "ssh.exec",
                "target": "sample-linux-server",
                "command": (
                    "i={{ start }}\n"
                    'while [ "$i" -gt 0 ]; do\n'
                    '  echo "$i …"\n'
                    "  sleep 0.3\n"
                    "  i=$((i - 1))\n"
                    "done\n"
                    "echo {{ message }}\n"
                ),
                "timeoutSec": 600,
            }
        ],
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTarget:
    """A sandbox host as a target, and the credential to reach it with."""

    credential: str
    credential_type: str
    spec: Mapping[str, Any]


def sample_targets(endpoints: Mapping[str, Mapping[str, Any]]) -> list[SampleTarget]:
    """The targets for what the sandbox says it listens on.

    Windows over plain HTTP with NTLM, which encrypts every message: the sandbox's certificate is a new one
    at each start and so cannot stay pinned.
    """
    found = []
    if windows := endpoints.get("windows"):
        found.append(
            SampleTarget(
                credential="sample-windows-operator",
                credential_type="winrm",
                spec={
                    "name": "sample-windows-server",
                    "os": "windows",
                    "hostname": "127.0.0.1",
                    "tags": {"simulated": "true"},
                    "winrm": {"scheme": "http", "port": windows["http_port"], "transport": "ntlm"},
                },
            )
        )
    if ssh := endpoints.get("ssh"):
        found.append(
            SampleTarget(
                credential="sample-linux-operator",
                credential_type="ssh",
                spec={
                    "name": "sample-linux-server",
                    "os": "linux",
                    "hostname": "127.0.0.1",
                    "tags": {"simulated": "true"},
                    "ssh": {"port": ssh["port"], "host_key": ssh["host_key"].strip()},
                },
            )
        )
    return found


async def ensure_samples(
    api: Api, endpoints: Mapping[str, Mapping[str, Any]], *, password: str
) -> list[dict[str, Any]]:
    """The sample jobs; makes what is missing and moves the targets to where the sandbox listens now."""
    credentials = {item["name"]: item for item in await api.pages("/api/v1/credentials")}
    targets = {item["name"]: item for item in await api.pages("/api/v1/targets", tag="simulated")}
    for target in sample_targets(endpoints):
        credential = credentials.get(target.credential) or await _create_credential(api, target, password)
        if credential.get("held_reason"):
            rotated = f"/api/v1/credentials/{credential['id']}/rotate"
            await api.post(rotated, {"password": password})
        spec = {**target.spec, "credential_id": credential["id"]}
        await _place_target(api, spec, targets.get(target.spec["name"]))
    jobs = {item["name"]: item for item in await api.pages("/api/v1/jobs", name="Sample")}
    return [
        jobs.get(document["name"]) or await api.post("/api/v1/jobs", document, once=True) for document in JOBS
    ]


async def _create_credential(api: Api, target: SampleTarget, password: str) -> dict[str, Any]:
    body = {
        "name": target.credential,
        "type": target.credential_type,
        "username": SANDBOX_USER,
        "password": password,
    }
    created: dict[str, Any] = await api.post("/api/v1/credentials", body, once=True)
    return created


async def _place_target(api: Api, spec: dict[str, Any], known: Mapping[str, Any] | None) -> None:
    if known is None:
        await api.post("/api/v1/targets", spec, once=True)
    elif any(_differs(known.get(name), value) for name, value in spec.items()):
        await api.put(f"/api/v1/targets/{known['id']}", spec)


def _differs(known: Any, wanted: Any) -> bool:
    """Whether what is stored says something else; settings we do not speak of are the user's."""
    if isinstance(wanted, Mapping) and isinstance(known, Mapping):
        return any(_differs(known.get(name), value) for name, value in wanted.items())
    return bool(known != wanted)
