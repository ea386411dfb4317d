"""What can be checked around the database: settings, folder, broker, and the processes' own health pages."""

import json
import stat
import urllib.error
import urllib.request

from cli.diagnosis.model import Finding, bad, good
from cli.places import DataFolder
from contracts import topology
from infra.broker import queue_depths
from infra.settings import Settings

READY_SECONDS = 5.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OK = 200


def folder(data: DataFolder) -> list[Finding]:
    """Whether secrets in the data folder are for its owner only; nothing to say when there is none."""
    if not data.secrets.is_dir():
        return []
    private = [data.secrets, *data.secrets.iterdir(), *([data.services] if data.services.exists() else [])]
    open_ones = [path for path in private if path.stat().st_mode & _OTHERS]
    if open_ones:
        names = " ".join(str(path) for path in open_ones)
        return [bad("data folder", f"others may read {names}", f"Run `chmod go= {names}`.")]
    return [good("data folder", str(data.path))]


async def broker(settings: Settings) -> list[Finding]:
    """Whether it answers, has every queue, and whether each is listened to."""
    names = [queue.name for queue in topology.durable_queues(settings.pools)]
    try:
        found = await queue_depths(settings.amqp_url, names)
    except Exception as error:  # whatever the client library raises, it was not reached
        remedy = "Is it running, and is OPS_AMQP_URL right? Runs go on, slower."
        return [bad("broker", f"cannot be reached: {error or type(error).__name__}", remedy)]
    missing = [queue.name for queue in found if queue.consumers < 0]
    deaf = [queue.name for queue in found if queue.consumers == 0]
    if missing:
        queues = bad("queues", f"missing: {', '.join(missing)}", "Run `opsconductor migrate`.")
    elif deaf:
        queues = bad("queues", f"nobody listens to {', '.join(deaf)}", "Start a worker of that role.")
    else:
        queues = good("queues", f"{len(found)} queues, {sum(q.messages for q in found)} messages waiting")
    return [good("broker", "reachable"), queues]


def ready(check: str, url: str) -> Finding:
    """Whether `/readyz` under `url` says so."""
    remedy = f"Is it running? See what it says: curl {url}/readyz"
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=READY_SECONDS) as answer:  # noqa: S310  (http only)
            return good(check, f"ready at {url}") if answer.status == _OK else bad(check, "not ready", remedy)
    except urllib.error.HTTPError as error:
        return bad(check, f"not ready: {_reasons(error)}", remedy)
    except (OSError, ValueError) as error:
        return bad(check, f"does not answer at {url}: {error}", remedy)


def _reasons(error: urllib.error.HTTPError) -> str:
    try:
        document = json.loads(error.read())
        parts = document.get("problems") or document.get("checks") or {}
        return ", ".join(f"{name}: {value}" for name, value in parts.items() if value != "ok")
    except (ValueError, AttributeError):
        return f"status {error.code}"
