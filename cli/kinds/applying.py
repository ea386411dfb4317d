"""Carrying a plan out."""

from collections.abc import Callable, Mapping
from typing import Any

from cli import exits
from cli.client.api import Api
from cli.client.problems import ApiProblem, CliError
from cli.kinds.credential import SecretSource
from cli.kinds.planning import Change, Plan, Wish
from cli.kinds.secrets import from_place, from_words

_STALE = 412


async def carry_out(api: Api, plan: Plan, wish: Wish, told: Callable[[Change], None]) -> None:
    """Every change in its turn; `told` hears of each that is done.

    Secrets are all read before the first request, so that none is missing half-way. Raises `CliError`
    naming what had been done when something failed all the same; applying again goes on from there.
    """
    secrets = {change.name: _secrets(change, wish) for change in plan.changes if _needs_secrets(change)}
    ids, done = dict(plan.ids), 0
    for change in plan.changes:
        try:
            await _do(api, change, ids, secrets.get(change.name, {}))
        except CliError as error:
            words = f"{change.kind.name} {change.name}: {error}"
            hints = [*error.hints, f"{done} changes before it were made; apply again to go on."]
            if isinstance(error, ApiProblem) and error.status == _STALE:
                hints.insert(0, "Somebody changed it while this ran; look with `opsconductor diff`.")
            raise CliError(words, hints=hints, exit_code=exits.FAILED) from error
        done += change.action != "unchanged"
        told(change)


def _needs_secrets(change: Change) -> bool:
    return change.kind.name == "Credential" and change.new_secrets and change.action != "unchanged"


def _secrets(change: Change, wish: Wish) -> dict[str, str]:
    assert change.document is not None  # noqa: S101  (only what a document asks for gets secrets)
    own: Mapping[str, SecretSource] = change.document.parsed.spec.secrets
    given = wish.secrets.get(change.name, {})
    read = {
        name: from_place(name, source.valueFrom, of=change.name)
        for name, source in own.items()
        if name not in given
    }
    return read | {name: from_words(name, source, of=change.name) for name, source in given.items()}


async def _do(api: Api, change: Change, ids: dict[Any, str], secrets: Mapping[str, str]) -> None:
    path = f"/api/v1/{change.kind.plural}"
    if change.action == "unchanged":
        return
    if change.action == "deleted":
        assert change.view is not None  # noqa: S101  (it was read to be compared)
        await api.delete(f"{path}/{change.view['id']}", if_match=change.tag)
        return
    assert change.document is not None  # noqa: S101  (only deletions have none)
    body = change.kind.body(change.document.parsed, ids) | {"labels": dict(change.labels)} | dict(secrets)
    if change.document.source is not None:
        body["source"] = change.document.source
    if change.action == "created":
        made = await api.post(path, body, once=True)
        ids[change.ref] = made["id"]
        await _activity(api, change, made)
        return
    assert change.view is not None  # noqa: S101  (what is changed was read)
    if change.kind.name == "Credential":
        body.pop("type")
    changed = await api.put(f"{path}/{change.view['id']}", body, if_match=change.tag)
    await _activity(api, change, changed)


async def _activity(api: Api, change: Change, now: Mapping[str, Any]) -> None:
    """Jobs alone can be switched off, with a reason."""
    if change.kind.name != "Job" or change.document is None:
        return
    wanted = change.document.parsed.metadata
    if wanted.active and not now["active"]:
        await api.post(f"/api/v1/jobs/{now['id']}/activate")
    elif not wanted.active and (now["active"] or now["inactive_reason"] != wanted.inactive_reason):
        await api.post(f"/api/v1/jobs/{now['id']}/deactivate", {"reason": wanted.inactive_reason})
