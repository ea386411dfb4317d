"""The host keys a server presents, asked for without logging in: what a person compares before pinning."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncssh

from workers.executor.steps.base import StepFault, TargetView
from workers.executor.steps.ssh_exec.faults import Seen, connect_fault
from workers.executor.steps.ssh_exec.logins import KEY_TYPES, NOTHING_TRUSTED, PinnedHost, look_closer


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedKey:
    """One host key: `line` is what `ssh.host_key` takes, `fingerprint` what `ssh-keygen -l` shows."""

    algorithm: str
    line: str
    fingerprint: str


async def presented_keys(
    target: TargetView, *, time_limit: float = 10.0, tunnel: asyncssh.SSHClientConnection | None = None
) -> tuple[PresentedKey, ...]:
    """Every host key of `target`, strongest type first; no user name and no secret is sent.

    Raises `StepFault` (`unreachable`, `not_ssh`, …) when not even one key was shown.
    """
    asked = [_presented(target, types, time_limit, tunnel) for types in KEY_TYPES]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, StepFault):
            raise answer
    keys = [answer for answer in answers if isinstance(answer, PresentedKey)]
    if not keys:
        raise next(answer for answer in answers if isinstance(answer, StepFault))
    return tuple(keys)


async def _presented(
    target: TargetView,
    algorithms: Sequence[str],
    time_limit: float,
    tunnel: asyncssh.SSHClientConnection | None,
) -> PresentedKey:
    """The key of this type; the login is broken off as soon as the key has been seen."""
    seen = Seen()
    try:
        connection, _ = await asyncssh.create_connection(
            lambda: PinnedHost([], seen),
            target.hostname,
            target.ssh.port,
            tunnel=tunnel,
            config=None,
            known_hosts=NOTHING_TRUSTED,
            server_host_key_algs=list(algorithms),
            x509_trusted_certs=None,
            username="nobody",
            client_keys=None,
            agent_path=None,
            gss_kex=False,
            gss_auth=False,
            connect_timeout=time_limit,
            client_version="OpsConductor",
        )
    except (OSError, asyncssh.Error) as error:
        if seen.shown_key is None:
            if tunnel is None and seen.spoke_ssh:
                await look_closer(error, target, seen)
            raise connect_fault(error, target, None, seen, pinned=False) from None
    else:
        connection.abort()
    key = seen.shown_key
    if key is None:
        raise RuntimeError("a connection without a host key")
    return PresentedKey(
        algorithm=key.get_algorithm(),
        line=key.export_public_key().decode().strip(),
        fingerprint=key.get_fingerprint(),
    )
