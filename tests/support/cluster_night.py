"""Ticks over one fake workspace with clusters, on a clock that jumps."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.compute.cluster_care import ClusterCare, recall, tend_clusters
from shared.compute.cluster_report import ClusterReport
from shared.compute.mishap import caught
from shared.compute.native_settings import ScaleSettings
from shared.compute.rulebook import Rulebook
from shared.compute.schedule import parse_schedule
from tests.support.builders import NIGHT, SUBSCRIPTION, a_workspace
from tests.support.fake_azure import FakeAzure
from tests.support.fake_storage import FakeClusterMinimums
from tests.support.telemetry import RecordingTelemetry

DAYTIME = parse_schedule("Mon-Sun 06:00-22:00 UTC")
MORNING = timedelta(hours=8)


def a_cluster(
    name: str = "cpu", *, minimum: int = 2, maximum: int = 4, **rest: Any
) -> Mapping[str, Any]:
    scale = {"min_node_count": minimum, "max_node_count": maximum}
    return {"name": name, "compute_type": "AmlCompute", "scale": scale, **rest}


def now() -> datetime:
    """The night begins with the loop, at 22:00."""
    return NIGHT + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class ClusterNight:
    """A workspace over a night; each `tick` is a new worker that knows only what is stored."""

    computes: Sequence[Mapping[str, Any]]
    workspace: Mapping[str, Any] = field(default_factory=dict)
    minimums: FakeClusterMinimums = field(default_factory=FakeClusterMinimums)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    mishaps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        home = {"name": "mlw-churn", "computes": self.computes, **self.workspace}
        seed = {"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [home]}]}
        self.home = a_workspace(tags=self.workspace.get("tags"))
        self.azure = FakeAzure(seed, now=now)

    async def tick(
        self,
        *,
        book: Rulebook | None = None,
        off_hours: bool = True,
        dry_run: bool = False,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Mapping[str, ClusterReport]:
        """One tick, as a share calls it; `meanwhile` happens between the list and the decision."""
        memory = await recall(self.minimums, telemetry=self.telemetry)
        computes = await self.azure.list_computes(self.home, deadline=now() + timedelta(minutes=5))
        meanwhile()
        care = ClusterCare(
            azure=self.azure,
            memory=memory,
            telemetry=self.telemetry,
            book=book or Rulebook(default=DAYTIME),
            now=now,
            deadline=now() + timedelta(minutes=5),
            off_hours=off_hours,
            dry_run=dry_run,
        )
        logged: set[tuple[str, str]] = set()
        reports = await tend_clusters(
            self.home,
            computes,
            care=care,
            at=now(),
            contain=lambda name: caught(
                self.home.id, about=name, logged=logged, tell=self.mishaps.append
            ),
        )
        return {each.name: each for each in reports}

    async def until_morning(self) -> None:
        """Wait until just after 6:00."""
        await asyncio.sleep((NIGHT + MORNING - now()).total_seconds() + 1)

    def minimum(self, name: str = "cpu") -> int:
        cluster = self.azure.machine(name).compute.cluster
        assert cluster is not None
        return cluster.scale.minimum

    def remembered(self) -> Mapping[str, int]:
        return {m.cluster_id.rpartition("/")[2]: m.minimum for m in self.minimums.minimums.values()}

    async def set_minimum(self, minimum: int, *, maximum: int = 4, name: str = "cpu") -> None:
        """A user sets other bounds."""
        wanted = ScaleSettings(minimum=minimum, maximum=maximum, idle_time="PT120S")
        await asyncio.sleep(6)
        compute = self.azure.machine(name).compute
        await self.azure.scale_cluster(compute, wanted, deadline=now() + timedelta(minutes=1))
        await asyncio.sleep(6)
        self.azure.calls.clear()

    @property
    def changes(self) -> list[str]:
        """Names of the clusters that were asked to change, once for each request."""
        asked = [call for call in self.azure.calls if call.startswith("scale_cluster ")]
        return [call.rpartition("/")[2] for call in asked]
