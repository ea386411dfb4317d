"""`opsconductor targets test`: whether machines can be reached, and if not, where it ends and what to do."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cli import exits, render
from cli.client.api import Api
from cli.client.command import served
from cli.client.names import target_names
from cli.client.nearness import did_you_mean
from cli.client.problems import CliError
from cli.output import Out
from contracts.causes.help import HELP

AT_ONCE = 500
WAIT_SECONDS = 10
PATIENCE_SECONDS = 120.0
_LISTED = ("`opsconductor targets list` shows them.",)
PINNABLE = {"host_key_unknown": "host key", "host_key_mismatch": "host key", "tls_untrusted": "certificate"}

Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME…", help="Targets by name.", autocompletion=target_names)
]
All = Annotated[bool, typer.Option("--all", help="Every target.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", help="Targets with `name` or `name=value`; repeatable.")
]
Pin = Annotated[
    bool, typer.Option("--pin", help="Offer to trust the host key or certificate that a machine shows.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Pin without asking: compare elsewhere first.")]


@served
async def reach_targets(
    api: Api,
    out: Out,
    names: Names = None,
    *,
    all_of_them: All = False,
    tag: Tags = None,
    pin: Pin = False,
    yes: Yes = False,
) -> int:
    """Test the connection to targets: name, port, TLS or host key, login, a first command.

    Exits with 0 when all can be reached, 1 when none can, 3 when some can.
    """
    return await _reach(
        api, out, await _chosen(api, names or [], every=all_of_them, tags=tag or []), pin, yes
    )


@served
async def pin_target(
    api: Api, out: Out, name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=target_names)],
    *, yes: Yes = False,
) -> int:  # fmt: skip
    """Look which host key or certificate a machine shows, and trust that one from now on."""
    return await _reach(api, out, await _chosen(api, [name], every=False, tags=[]), True, yes)  # noqa: FBT003


async def _reach(
    api: Api, out: Out, chosen: Sequence[Any], pin: bool, sure: bool  # noqa: FBT001
) -> int:  # fmt: skip
    tests = await _tested(api, [target["id"] for target in chosen])
    if pin:
        tests = await _pinned(api, tests, sure=sure)
    if out.for_people:
        _show(tests)
    else:
        out.data(tests, name="target")
    return _code(tests)


async def _chosen(api: Api, names: Sequence[str], *, every: bool, tags: list[str]) -> Sequence[Any]:
    if not (names or every or tags):
        raise CliError(
            "Say which targets to test.", hints=["Give names, --tag or --all."], exit_code=exits.USAGE
        )
    targets = await api.pages("/api/v1/targets", tag=tags or None)
    if not names:
        found = targets
    else:
        by_name = {target["name"]: target for target in targets}
        if missing := [name for name in names if name not in by_name]:
            near = [hint for name in missing for hint in did_you_mean(name, by_name)]
            raise CliError(
                f"There is no target named {', '.join(map(repr, missing))}.", hints=[*near, *_LISTED]
            )
        found = [by_name[name] for name in dict.fromkeys(names)]
    if not found:
        raise CliError("No target fits.", hints=_LISTED, exit_code=exits.USAGE)
    return found


async def _tested(api: Api, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The tests of these targets once all have ended, or as they are when patience does."""
    ordered: list[str] = []
    for start in range(0, len(ids), AT_ONCE):
        body = {"ids": list(ids[start : start + AT_ONCE])}
        answer = await api.post("/api/v1/targets/test", body, once=True)
        ordered += [item["id"] for item in answer["items"]]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS + len(ids)
    return [await _ended(api, test_id, deadline) for test_id in ordered]


async def _ended(api: Api, test_id: str, deadline: float) -> dict[str, Any]:
    while True:
        test: dict[str, Any] = await api.get(f"/api/v1/connection-tests/{test_id}", wait=WAIT_SECONDS)
        if test["ended_at"] or asyncio.get_running_loop().time() > deadline:
            return test


async def _pinned(api: Api, tests: Sequence[dict[str, Any]], *, sure: bool) -> list[dict[str, Any]]:
    """The tests, anew for targets whose key or certificate somebody has accepted."""
    return [await _test_after_pinning(api, test, sure=sure) for test in tests]


async def _test_after_pinning(api: Api, test: dict[str, Any], *, sure: bool) -> dict[str, Any]:
    error = test["error"] or {}
    kind = PINNABLE.get(error.get("code", ""))
    if kind is None:
        return test
    shown = _shown(test)
    if not shown:
        return test
    render.remark(f"{test['target']}: {error['message']}", style="")
    for field, value, described in shown:
        question = f"Trust the {kind} {described} of {test['target']} ({test['hostname']}) from now on?"
        if sure or render.agreed(question, unasked="To trust it without being asked: --yes"):
            body = {"test_id": test["id"], field: value}
            await api.post(f"/api/v1/targets/{test['target_id']}/pin", body)
            [again] = await _tested(api, [test["target_id"]])
            return again
    return test


def _shown(test: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What can be pinned: the field of the request, its value, and how a person knows it."""
    presented = test["presented"]
    if test["transport"] == "ssh":
        return [
            ("host_key", key["fingerprint"], f"{key['algorithm']} {key['fingerprint']}")
            for key in presented["host_keys"]
        ]
    certificate = presented["certificate"]
    if certificate is None:
        return []
    described = f"{certificate['subject']} SHA-256 {certificate['fingerprint']}"
    return [("fingerprint", certificate["fingerprint"], described)]


def _show(tests: Sequence[dict[str, Any]]) -> None:
    if len(tests) == 1:
        render.table(
            ("STAGE", "STATUS", "MS", "DETAIL"),
            ((s["stage"], s["status"], s["ms"], s["detail"]) for s in tests[0]["stages"]),
            empty=f"The test waits for {tests[0]['waiting_for'] or 'its end'}.",
        )
    else:
        render.table(
            ("TARGET", "STATUS", "STAGE", "CAUSE", "TOOK"),
            ((t["target"], t["status"], _stage(t), (t["error"] or {}).get("code"), _took(t)) for t in tests),
            empty="No tests.",
        )
    for test in tests:
        if error := test["error"]:
            render.remark(f"{test['target']}: {error['message']}", style="bold red")
            render.remark(f"  {error['hint']}", style="")
            if error["code"] in HELP:
                render.remark(f"  More about it: opsconductor explain {error['code']}")


def _stage(test: dict[str, Any]) -> str | None:
    failed = (stage["stage"] for stage in test["stages"] if stage["status"] == "failed")
    return next(failed, None)


def _took(test: dict[str, Any]) -> str | None:
    return render.took(test["started_at"], test["ended_at"])


def _code(tests: Sequence[dict[str, Any]]) -> int:
    reached = sum(test["status"] == "succeeded" for test in tests)
    if reached == len(tests):
        return exits.OK
    return exits.PARTIAL if reached else exits.FAILED
