"""The history of runs, as a caller over HTTP sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote

from tests.support.local_host import LocalHost, poll


@dataclass(frozen=True, kw_only=True)
class History:
    """What a host remembers of the runs that began after a moment; earlier tests' are left out."""

    host: LocalHost
    since: datetime

    @classmethod
    def from_now(cls, host: LocalHost) -> Self:
        return cls(host=host, since=datetime.now(UTC))

    def runs(self) -> Sequence[Mapping[str, Any]]:
        """Heads, newest first."""
        # Other tests write down runs of years to come.
        window = {"started_from": self.since, "started_before": datetime.now(UTC)}
        query = "&".join(f"{name}={quote(at.isoformat())}" for name, at in window.items())
        answer = self.host.get(f"/api/compute/runs?{query}")
        assert answer.status == 200, answer.body
        runs: list[Mapping[str, Any]] = answer.json()["runs"]
        return runs

    def report(self, run_id: str) -> dict[str, Any]:
        answer = self.host.get(f"/api/compute/runs/{run_id}")
        assert answer.status == 200, answer.body
        report: dict[str, Any] = answer.json()
        return report

    def only_report(self, trigger: str = "timer") -> dict[str, Any]:
        """Return the report of the one run that something started since."""
        (run,) = [each for each in self.runs() if each["trigger"] == trigger]
        return self.report(run["run_id"])


def closed_run(host: LocalHost, run_id: str, *, seconds: float = 90.0) -> dict[str, Any]:
    """Wait for a run's end and return its report."""

    def closed() -> dict[str, Any] | None:
        run: dict[str, Any] = host.get(f"/api/compute/runs/{run_id}").json()
        return run if run["result"] else None

    return poll(closed, seconds=seconds, what=f"the end of run {run_id}")
