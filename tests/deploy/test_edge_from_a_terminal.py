"""The command line through nginx with the certificate of the first start, as docs/deployment.md tells."""

import asyncio
from pathlib import Path

import pytest

from tests.deploy.conftest import Site
from tests.support.processes import Child, clean_environment, module
from tests.support.system import PASSWORD

pytestmark = [pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="session")]


class Terminal:
    """One user's: commands typed there one after the other."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._count = 0

    async def command(self, *words: str, typed: str = "", **settings: str) -> tuple[int, str]:
        """The exit code, and everything that was said."""
        self._count += 1
        typing, log = self._home / "typing", self._home / f"said-{self._count}"
        typing.write_text(typed)
        environment = clean_environment(XDG_CONFIG_HOME=str(self._home), NO_COLOR="1", **settings)
        command = ["sh", "-c", 'exec "$@" <"$0"', str(typing), *module("cli", *words)]
        child = Child("opsconductor", command, env=environment, log=log)
        return await asyncio.to_thread(child.wait), log.read_text()


async def test_the_first_certificate_is_refused_until_it_is_named_and_then_kept(
    site: Site, tmp_path: Path
) -> None:
    terminal, login = Terminal(tmp_path), ("login", "--url", site.edge.url, "--password-stdin")

    code, said = await terminal.command(*login, typed=PASSWORD + "\n")
    assert (code, "not trusted here" in said) == (1, True), said
    assert f"opsconductor login --url {site.edge.url} --ca-file FILE" in said

    code, said = await terminal.command(
        *login, "--ca-file", str(site.edge.certificate), typed=PASSWORD + "\n"
    )
    assert (code, f"Signed in at {site.edge.url}" in said) == (0, True), said
    code, said = await terminal.command("api", "/api/v1/me", "--query", "username")
    assert (code, said) == (0, "admin\n")
    code, said = await terminal.command("users", OPS_CA_FILE=str(tmp_path / "none.pem"))
    assert (code, "cannot be used" in said) == (2, True), said


async def test_plain_http_names_the_address_to_use_and_is_sent_no_password(
    site: Site, tmp_path: Path
) -> None:
    url, posts = f"http://localhost:{site.edge.http_port}", site.edge.log().count("POST")
    code, said = await Terminal(tmp_path).command("login", "--url", url, "--password-stdin", typed="x\n")

    assert code == 2
    assert f"{url} sends on to {site.edge.url}." in said
    assert f"--url {site.edge.url}" in said
    assert site.edge.log().count("POST") == posts


async def test_a_run_is_followed_through_the_edge_line_by_line(site: Site, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    job = await site.system.job(
        {"type": "ssh.exec", "command": "for i in 1 2 3; do echo line $i; sleep 0.2; done"},
        targets=await site.system.targets(1),
    )
    trusted = ("--ca-file", str(site.edge.certificate))
    login = ("login", "--url", site.edge.url, "--password-stdin", *trusted)
    assert (await terminal.command(*login, typed=PASSWORD + "\n"))[0] == 0

    code, said = await terminal.command("run", str(job), "--follow")

    assert code == 0, said
    assert [line for line in said.splitlines() if line.startswith("[")] == [
        f"[host-0] line {number}" for number in (1, 2, 3)
    ]
