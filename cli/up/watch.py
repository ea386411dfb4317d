"""Running the samples and showing their output as it comes."""

import time
from dataclasses import dataclass
from typing import Any

from cli.client.api import Api
from cli.client.lines import OutputLine, printable
from cli.client.stream import follow
from cli.up.screen import Screen

_GOOD = "succeeded"


@dataclass(frozen=True, slots=True)
class SampleRuns:
    """Shows runs in the terminal, one after the other."""

    api: Api
    screen: Screen

    async def run(self, job: dict[str, Any]) -> bool:
        """Run the job once and show it live; whether it succeeded."""
        self.screen.line()
        self.screen.line(f"▶ {job['name']}", "bold")
        began = time.monotonic()
        run = await self.api.post(f"/api/v1/jobs/{job['id']}/run", {}, once=True)
        status = await follow(self.api, run["id"], show=self._show, note=self.screen.note)
        took = time.monotonic() - began
        good = status == _GOOD
        mark, style = ("✔", "green") if good else ("✘", "red")
        self.screen.line(f"{mark} {status} in {took:.1f} s", style)
        if not good:
            await self._explain(run["id"])
        return good

    def _show(self, line: OutputLine) -> None:
        where = self.screen.styled(f"[{line.target or line.step}]", "cyan")
        mark = self.screen.styled("! ", "red") if line.stream == "stderr" else ""
        self.screen.line(f"  {where} {mark}{printable(line.text)}")

    async def _explain(self, run_id: str) -> None:
        for task in await self.api.pages(f"/api/v1/runs/{run_id}/steps"):
            error = task["error"]
            if error:
                self.screen.problem(f"  {task['step']} on {task['target']}: {error['message']}")
                if error["hint"]:
                    self.screen.note(error["hint"])
