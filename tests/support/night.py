"""One run over a fake Azure, on a clock that jumps: a night passes in no time."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.compute.order import RunOrder
from shared.compute.report import InstanceReport, RunReport, Trigger
from shared.compute.run import Occasion, Rules
from shared.compute.shutdown import Backing, Shutdown
from tests.support.builders import NIGHT, SUBSCRIPTION
from tests.support.fake_azure import FakeAzure, Seed
from tests.support.telemetry import RecordingTelemetry
from tests.support.virtual_time import run_virtually

Prepare = Callable[[FakeAzure], None]
Carry = Callable[[Shutdown], Coroutine[Any, Any, RunReport | None]]
DS3 = {"name": "Standard_DS3_v2", "family": "D", "vcpus": 4, "memory_gb": 14, "price_per_hour": 0.5}


@dataclass
class Night:
    """What became of a run: its report or its error, the estate, and what operators were told."""

    azure: FakeAzure
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    outcome: RunReport | None = None
    error: BaseException | None = None
    seconds: float = 0.0

    @property
    def report(self) -> RunReport:
        if self.outcome is None:
            raise self.error or AssertionError("the run gave no report")
        return self.outcome

    def instance(self, name: str) -> InstanceReport:
        return next(each for each in self.report.instances if each.name == name)

    @property
    def outcomes(self) -> Mapping[str, str]:
        """Outcomes by name."""
        return {each.name: each.outcome for each in self.report.instances}

    @property
    def asked(self) -> list[str]:
        """Names of the machines that a stop was sent for, once for each request."""
        stops = [call for call in self.azure.calls if call.startswith("begin_stop ")]
        return [call.rpartition("/")[2] for call in stops]


def an_estate(*computes: Mapping[str, Any], **workspaces: Any) -> Seed:
    """One workspace `mlw-churn` with these computes, and others by keyword: name=[computes]."""
    named = {"mlw-churn": computes, **{n.replace("_", "-"): c for n, c in workspaces.items()}}
    homes = [
        dict(home) if isinstance(home, Mapping) else {"computes": list(home)}
        for home in named.values()
    ]
    listed = [{"name": name, **home} for name, home in zip(named, homes, strict=True)]
    return {"vm_sizes": [DS3], "subscriptions": [{"id": SUBSCRIPTION, "workspaces": listed}]}


def a_machine(name: str, *, state: str | None = "Running", **behaviour: Any) -> dict[str, Any]:
    """An entry of a seed document."""
    return {"name": name, "state": state, "behaviour": behaviour}


def spend(
    seed: Seed,
    order: RunOrder | None = None,
    *,
    prepare: Prepare | None = None,
    seconds: float = 1500,
    rules: Rules | None = None,
) -> Night:
    """Run once over the estate; `prepare` may break the fake, now or by `loop.call_later`."""

    async def run(shutdown: Shutdown) -> RunReport:
        limit = timedelta(seconds=seconds)
        return await shutdown.run(
            order or RunOrder(), Occasion(trigger=Trigger.TIMER, time_limit=limit)
        )

    return carry_out(seed, run, prepare=prepare, rules=rules)


def carry_out(
    seed: Seed,
    carry: Carry,
    *,
    prepare: Prepare | None = None,
    rules: Rules | None = None,
    backing: Backing | None = None,
) -> Night:
    """Let something use a Shutdown over the estate."""

    async def pass_night() -> Night:
        loop = asyncio.get_running_loop()

        def now() -> datetime:
            return NIGHT + timedelta(seconds=loop.time())

        night = Night(azure=FakeAzure(seed, now=now))
        if prepare:
            prepare(night.azure)
        shutdown = Shutdown(
            night.azure,
            night.telemetry,
            now=now,
            rules=rules or Rules(),
            backing=backing,
        )
        try:
            night.outcome = await carry(shutdown)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # the test looks at it
            night.error = error
        night.seconds = loop.time()
        return night

    return run_virtually(pass_night())


def later(seconds: float, happen: Callable[[], object]) -> None:
    """Let something happen so many seconds into the night; for `prepare`."""
    asyncio.get_running_loop().call_later(seconds, happen)
