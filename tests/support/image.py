"""What infra/docker/Dockerfile makes, made on this machine: its own commands, with other folders."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.processes import ROOT, Child

DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"
BUILT_FROM = ("requirements.lock", "pyproject.toml", "README.md", "LICENSE")
PACKAGES = ("contracts", "infra", "gateway", "workers", "cli")
NOBODY = 65_534


def instructions(kind: str, text: str) -> list[str]:
    """The instructions of one kind, with their continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return re.findall(rf"^{kind} (.+)$", joined, re.MULTILINE)


class Image:
    """The installed application, to be run without privileges. The sources are a copy nobody may write to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / "opt"
        self.secrets = folder / "secrets"
        self._build_stage, _, self._last_stage = DOCKERFILE.read_text().rpartition("\nFROM ")

    def build(self) -> None:
        """Run the build stage; raises CalledProcessError with what pip said."""
        build, tools = self.folder / "build", self.folder / "tools"
        build.mkdir()
        for name in (*BUILT_FROM, "infra/docker/build.lock"):
            (build / Path(name).name).write_bytes((ROOT / name).read_bytes())
        for name in PACKAGES:
            source = ["git", "ls-files", "-z", "--", name]
            files = subprocess.run(source, cwd=ROOT, capture_output=True, check=True, text=True).stdout
            for file in filter(None, files.split("\0")):
                (build / file).parent.mkdir(parents=True, exist_ok=True)
                (build / file).write_bytes((ROOT / file).read_bytes())
        subprocess.run([sys.executable, "-m", "venv", str(tools)], check=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPS_")}
        environment["PIP_NO_COMPILE"] = "1"  # only time would be lost
        environment["PATH"] = f"{tools / 'bin'}:{os.environ['PATH']}"
        for command in instructions("RUN", self._build_stage):
            subprocess.run(
                ["/bin/sh", "-euc", self._moved(command)],
                cwd=build,
                env=environment,
                check=True,
                capture_output=True,
                timeout=600,
            )

    def _moved(self, text: str) -> str:
        text = text.replace("/opt/opsconductor", str(self.prefix)).replace("/build/", f"{self.folder}/build/")
        return text.replace("/run/secrets", str(self.secrets)).replace("/secrets", str(self.secrets))

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """The image's own variables and these, and nothing of this process."""
        said = instructions("ENV", self._last_stage)
        pairs = [word.partition("=") for env in said for word in shlex.split(env)]
        own = {name: value.replace("$PATH", "/usr/bin:/bin") for name, _, value in pairs}
        own["PATH"] = own["PATH"].replace("/opt/opsconductor", str(self.prefix))
        return own | dict(more)

    def command(self, words: Sequence[str]) -> list[str]:
        """A command of the image, run as somebody who owns nothing."""
        words = [str(self.secrets) if word == "/secrets" else word for word in words]
        words[0] = str(self.prefix / "bin" / words[0])
        if os.geteuid() == 0:
            return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words]
        return words

    def run(self, words: Sequence[str], more: Mapping[str, str] | None = None) -> str:
        """What a one-shot command says; fails when it fails."""
        done = subprocess.run(
            self.command(words),
            env=self.environment(more or {}),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, words: Sequence[str], more: Mapping[str, str]) -> Child:
        log = self.folder / f"{name}.log"
        return Child(name, self.command(words), env=self.environment(more), log=log)
