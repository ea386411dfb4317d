"""The edge as its image runs it: start.sh and nginx, without privileges, on a read-only copy of its files."""

import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2

from cli.provisioning import Provision, provision
from infra.clock import now
from tests.support.eventually import PATIENCE, eventually
from tests.support.killable_brokers import listens
from tests.support.ports import free_port
from tests.support.processes import ROOT, Child

NOBODY = 65_534
SOURCES = ROOT / "infra" / "nginx"


def nginx_is_there() -> bool:
    return shutil.which("nginx", path=_PATH) is not None


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


class Edge:
    """One nginx in front of `gateway:<port>`, a name that the test's own name server answers."""

    def __init__(self, folder: Path, *, gateway_port: int, name_server: int) -> None:
        self.folder = folder
        self.http_port, self.https_port, self.health_port = free_port(), free_port(), free_port()
        self._child: Child | None = None
        web = folder / "web"
        (web / "assets").mkdir(parents=True)
        (web / "index.html").write_text("<!doctype html><title>the client</title><meta nonce=__CSP_NONCE__>")
        (web / "assets" / "app.js").write_text("export const long = 1;\n" * 100)
        provision(folder / "secrets", hosts=["ops.test"], now=now() - timedelta(minutes=1))
        self.certificate = Provision(folder / "secrets").certificate
        shutil.copytree(SOURCES, folder / "conf")
        run = folder / "run"
        run.mkdir()
        _give(folder / "secrets" / "certificate", run)
        self.environment = {
            "PATH": _PATH,
            "EDGE_CONF_DIR": str(folder / "conf"),
            "EDGE_WEB_DIR": str(web),
            "EDGE_TLS_DIR": str(self.certificate.parent),
            "EDGE_RUN_DIR": str(run),
            "EDGE_GATEWAY": f"gateway:{gateway_port}",
            "EDGE_RESOLVER": f"127.0.0.1:{name_server}",
            "EDGE_HTTP_PORT": str(self.http_port),
            "EDGE_HTTPS_PORT": str(self.https_port),
            "EDGE_HEALTH_PORT": str(self.health_port),
            "EDGE_PUBLIC_HTTPS_PORT": str(self.https_port),
        }

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https_port}"

    def client(self, *, address: str = "127.0.0.1") -> httpx2.AsyncClient:
        """A client at this address that trusts the certificate of the first start, and nothing else."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        transport = httpx2.AsyncHTTPTransport(verify=context, local_address=address)
        url = f"https://127.0.0.1:{self.https_port}"
        return httpx2.AsyncClient(base_url=url, transport=transport, timeout=PATIENCE)

    async def start(self) -> None:
        script = ["/bin/sh", str(self.folder / "conf" / "start.sh")]
        if os.geteuid() == 0:
            script = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *script]
        log = self.folder / "edge.log"
        log.touch()
        log.chmod(0o666)  # nginx opens its standard output by name
        self._child = Child("edge", script, env=self.environment, log=log)
        await eventually(self._listens)

    def _listens(self) -> bool:
        assert self._child is not None
        assert self._child.alive, self._child.last_words()
        return listens(self.https_port)

    def log(self) -> str:
        return (self.folder / "edge.log").read_text()

    def stop(self) -> None:
        if self._child is not None and self._child.alive:
            self._child.terminate()
            self._child.wait()


def _give(*folders: Path) -> None:
    if os.geteuid() == 0:
        for folder in folders:
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(folder)], check=True)


@asynccontextmanager
async def an_edge(*, gateway_port: int, name_server: int) -> AsyncIterator[Edge]:
    """A started edge in a folder that users without privileges can enter."""
    folder = Path(tempfile.mkdtemp(prefix="ops-test-edge-"))
    folder.chmod(0o755)
    edge = Edge(folder, gateway_port=gateway_port, name_server=name_server)
    (folder / "secrets").chmod(0o755)
    try:
        await edge.start()
        yield edge
    finally:
        edge.stop()
        shutil.rmtree(folder, ignore_errors=True)
