"""Every promise of the steps that run no script of a person: requests, waits, facts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from infra.egress import AddressRule, Egress
from tests.executors.behaviour import Behaviour
from tests.executors.test_behaviour_ssh import processes_of
from tests.support.http_server import Asked, HttpServer, Reply, http_server
from tests.support.lives import Scene, Step
from tests.support.ports import free_port
from tests.support.rebootable import Rebootable, a_rebootable_host
from tests.support.ssh import Reachable, sandbox
from tests.support.windows import PATIENT
from workers.executor.steps.facts import FactsPlugin
from workers.executor.steps.http_request import HttpRequestPlugin
from workers.executor.steps.remote import Remote
from workers.executor.steps.ssh_exec import SshExecPlugin
from workers.executor.steps.wait import WaitPlugin
from workers.executor.steps.wait_port import WaitPortPlugin
from workers.executor.steps.wait_reboot import WaitRebootPlugin
from workers.executor.steps.winrm_exec import WinrmExecPlugin

SHORT = "What it prints is a few lines of our own, far below any limit."
OUR_TEXT = "It prints our own lines only, never what the target wrote."
LOCAL = "It runs in the executor itself and talks to nobody."
NO_LOGIN = "It logs in nowhere."
NO_HANDLE = "It needs no handle: whoever takes it over looks again."


class Remotely:
    """Scripts of our own are carried by plug-ins of both protocols, each worker with its own."""

    def remote(self) -> Remote:
        return Remote(
            ssh=SshExecPlugin(reconnect_seconds=2.0), winrm=WinrmExecPlugin(limits=PATIENT, threads=8)
        )


class TestHttpRequest(Behaviour):
    type = "http.request"
    fails_with = "http_status"
    after_loss = "unknown"
    """The answer to a POST went to the lost worker: nobody guesses, nobody asks again."""
    after_stop = "unknown"
    no_text = b"caf\xe9 \xff\xfe \xc3( the end"
    """An answer that begins with NUL bytes is told by its size alone."""
    cannot: ClassVar = {
        "test_output_is_stored_while_the_target_goes_on": "An answer is judged and shown once it is whole.",
        "test_long_output_is_bounded_and_said_to_be_cut": "An answer over its own limit fails the step; "
        "see the tests of the plug-in.",
        "test_a_wrong_password_is_tried_once_said_and_not_shown": "A 401 is an answer like any other, "
        "judged by what the step expects.",
        "test_a_worker_killed_before_the_target_acted_leaves_it_to_the_next": "It needs no handle: what was "
        "not sent yet is not known to anybody, and a POST is not sent by guess.",
    }
    server: HttpServer
    answer: Reply

    @pytest.fixture
    async def scene(self) -> AsyncIterator[Scene]:
        self.answer = Reply()

        async def answer(asked: Asked) -> Reply | None:
            return None if await self.never(asked) else self.answer

        async with http_server(answer) as server:
            self.server = server
            egress = partial(Egress, AddressRule(["127.0.0.0/8"]))
            scene = Scene(make=lambda: HttpRequestPlugin(egress()), begun=lambda: bool(server.asked))
            yield scene
            await scene.close()

    async def never(self, asked: Asked) -> bool:
        if asked.target.startswith("/slow"):
            await asyncio.sleep(60)
        return False

    def works(self) -> Step:
        return {"url": f"{self.server.url}/quick", "method": "POST"}

    def fails(self) -> Step:
        self.answer = Reply(404)
        return {"url": f"{self.server.url}/missing"}

    def goes_on(self) -> Step:
        return {"url": f"{self.server.url}/slow", "method": "POST"}

    def says(self, *parts: int | bytes) -> Step:
        body = b"".join(b"x" * part if isinstance(part, int) else part for part in parts)
        self.answer = Reply(200, body, {"content-type": "text/plain"})
        return {"url": f"{self.server.url}/says", "max_response_bytes": 16 * 1024 * 1024}

    def ran(self) -> int:
        return len(self.server.asked)

    async def nobody_listens(self, scene: Scene) -> None:
        self.server.port = free_port()

    async def left_behind(self) -> list[str]:
        return []


class TestWait(Behaviour):
    type = "wait"
    cannot: ClassVar = {
        "test_what_fails_has_a_cause_and_leaves_nothing_behind": "Time passes without fail.",
        "test_long_output_is_bounded_and_said_to_be_cut": LOCAL,
        "test_nothing_is_lost_below_the_limit": LOCAL,
        "test_output_is_stored_while_the_target_goes_on": LOCAL,
        "test_where_nobody_listens_it_is_unreachable_and_nothing_ran": LOCAL,
        "test_a_wrong_password_is_tried_once_said_and_not_shown": LOCAL,
        "test_bytes_that_are_no_text_are_shown_without_harm": LOCAL,
        "test_a_secret_is_never_shown_in_any_form_wherever_output_is_cut": LOCAL,
        "test_a_worker_that_no_longer_holds_the_task_lets_nothing_act": LOCAL,
        "test_a_worker_killed_before_the_target_acted_leaves_it_to_the_next": LOCAL,
        "test_a_worker_killed_before_it_stored_its_handle_leaves_nothing_to_whoever_comes": LOCAL,
        "test_a_cancelled_step_leaves_nothing_of_a_worker_killed_before_it_stored_its_handle": LOCAL,
    }

    @pytest.fixture
    async def scene(self) -> AsyncIterator[Scene]:
        scene = Scene(make=WaitPlugin, begun=lambda: True)
        yield scene
        await scene.close()

    def works(self) -> Step:
        return {"seconds": 0}

    def goes_on(self) -> Step:
        return {"seconds": 1.5}

    def ran(self) -> int:
        return 1

    async def left_behind(self) -> list[str]:
        return []


class TestWaitPort(Behaviour):
    type = "wait.port"
    fails_with = "egress_refused"
    cannot: ClassVar = {
        "test_long_output_is_bounded_and_said_to_be_cut": SHORT,
        "test_nothing_is_lost_below_the_limit": SHORT,
        "test_output_is_stored_while_the_target_goes_on": "It says that it waits; the plug-in's own tests "
        "hold what it says until somebody listens.",
        "test_where_nobody_listens_it_is_unreachable_and_nothing_ran": "That is what it waits for to change.",
        "test_a_wrong_password_is_tried_once_said_and_not_shown": NO_LOGIN,
        "test_bytes_that_are_no_text_are_shown_without_harm": OUR_TEXT,
        "test_a_secret_is_never_shown_in_any_form_wherever_output_is_cut": OUR_TEXT,
        "test_a_worker_that_no_longer_holds_the_task_lets_nothing_act": "It only looks: nothing acts.",
        "test_a_worker_killed_before_the_target_acted_leaves_it_to_the_next": NO_HANDLE,
        "test_a_worker_killed_before_it_stored_its_handle_leaves_nothing_to_whoever_comes": NO_HANDLE,
        "test_a_cancelled_step_leaves_nothing_of_a_worker_killed_before_it_stored_its_handle": NO_HANDLE,
    }
    server: HttpServer

    @pytest.fixture
    async def scene(self) -> AsyncIterator[Scene]:
        self.closed = free_port()
        async with http_server(host="127.0.0.2") as server, AsyncExitStack() as self.later:
            self.server = server
            egress = partial(Egress, AddressRule(["127.0.0.2/32"]))
            scene = Scene(make=lambda: WaitPortPlugin(egress()))
            yield scene
            await scene.close()

    def works(self) -> Step:
        return {"host": "127.0.0.2", "port": self.server.port}

    def fails(self) -> Step:
        return {"host": "127.0.0.3", "port": self.server.port}

    def goes_on(self) -> Step:
        return {"host": "127.0.0.2", "port": self.closed, "intervalSec": 0.1}

    async def let_end(self) -> None:
        await self.later.enter_async_context(http_server(host="127.0.0.2", port=self.closed))

    def ran(self) -> int:
        return 1

    async def left_behind(self) -> list[str]:
        return []


class TestWaitReboot(Remotely, Behaviour):
    type = "wait.reboot"
    unreachable_as = "unreachable"
    cannot: ClassVar = {
        "test_what_fails_has_a_cause_and_leaves_nothing_behind": "A host that refuses is held by the "
        "plug-in's own tests: the host of this suite obeys.",
        "test_long_output_is_bounded_and_said_to_be_cut": SHORT,
        "test_nothing_is_lost_below_the_limit": SHORT,
        "test_bytes_that_are_no_text_are_shown_without_harm": OUR_TEXT,
        "test_a_secret_is_never_shown_in_any_form_wherever_output_is_cut": OUR_TEXT,
        "test_output_is_stored_while_the_target_goes_on": OUR_TEXT,
    }
    rebootable: Rebootable

    @pytest.fixture
    async def scene(self, tmp_path: Path) -> AsyncIterator[Scene]:
        async with a_rebootable_host(tmp_path) as rebootable:
            self.rebootable = rebootable
            reachable = rebootable.reachable
            scene = Scene(
                make=lambda: WaitRebootPlugin(self.remote()),
                target=reachable.target,
                credential=reachable.credential,
                begun=lambda: bool(rebootable.orders),
            )
            yield scene
            await scene.close()

    def works(self) -> Step:
        return {"intervalSec": 0.1}

    def goes_on(self) -> Step:
        self.rebootable.goes_down.clear()
        return {"intervalSec": 0.1}

    async def let_end(self) -> None:
        self.rebootable.goes_down.set()

    def ran(self) -> int:
        return self.rebootable.orders

    async def left_behind(self) -> list[str]:
        reachable = self.rebootable.reachable
        return reachable.folders() + processes_of(reachable.home / ".opsconductor")


class TestFacts(Remotely, Behaviour):
    type = "facts"
    cannot: ClassVar = {
        "test_what_fails_has_a_cause_and_leaves_nothing_behind": "Its script is ours: what a host answers "
        "that cannot be read is held by the plug-in's own tests.",
        "test_long_output_is_bounded_and_said_to_be_cut": SHORT,
        "test_nothing_is_lost_below_the_limit": SHORT,
        "test_output_is_stored_while_the_target_goes_on": "Facts are shown once all are told.",
        "test_bytes_that_are_no_text_are_shown_without_harm": OUR_TEXT,
        "test_a_secret_is_never_shown_in_any_form_wherever_output_is_cut": OUR_TEXT,
    }
    folder: Path
    reachable: Reachable

    @pytest.fixture
    async def scene(self, tmp_path: Path) -> AsyncIterator[Scene]:
        """A host whose `uname` notes that it was asked and answers while there is a file `gate`."""
        self.folder, programs = tmp_path, tmp_path / "programs"
        programs.mkdir()
        uname = programs / "uname"
        uname.write_text(
            f"#!/bin/sh\necho asked >>{tmp_path}/asked\n"
            f'until [ -e {tmp_path}/gate ]; do sleep .1; done; exec /bin/uname "$@"\n'
        )
        uname.chmod(0o755)
        await self.let_end()
        async with sandbox(programs=programs) as reachable:
            self.reachable = reachable
            scene = Scene(
                make=lambda: FactsPlugin(self.remote()),
                target=reachable.target,
                credential=reachable.credential,
                begun=lambda: self.ran() > 0,
            )
            yield scene
            await scene.close()

    def works(self) -> Step:
        return {}

    def goes_on(self) -> Step:
        (self.folder / "gate").unlink()
        return {}

    async def let_end(self) -> None:
        (self.folder / "gate").touch()

    def ran(self) -> int:
        """It asks several times for one answer, and again after a loss: that changes nothing."""
        return int((self.folder / "asked").exists())

    async def left_behind(self) -> list[str]:
        return self.reachable.folders() + processes_of(self.reachable.home / ".opsconductor")
