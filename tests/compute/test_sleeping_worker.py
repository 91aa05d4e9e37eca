"""A worker that was suspended, and wakes up before the deadline, stops nothing on yesterday's word."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.compute.exemptions import Exemption, ExemptionsInForce, KnownExemptions
from shared.compute.history import Claim
from shared.compute.instance import LastOperation
from shared.compute.order import RunOrder
from shared.compute.report import Outcome, RunReport, Trigger
from shared.compute.rulebook import Allowances
from shared.compute.run import Occasion, Rules
from shared.compute.shutdown import Backing, Shutdown
from tests.support.builders import NIGHT, an_instance
from tests.support.cluster_night import DAYTIME
from tests.support.fake_azure import FakeAzure
from tests.support.fake_storage import FakeExemptionStore, FakeStopClaims
from tests.support.night import a_machine, an_estate
from tests.support.telemetry import RecordingTelemetry
from tests.support.virtual_time import run_virtually

ADA = an_instance("ci-ada")
TICK = Occasion(trigger=Trigger.TIMER, time_limit=timedelta(seconds=1500))


@dataclass
class Host:
    """One worker whose clock jumps when its process is suspended: nothing in it runs meanwhile."""

    slept: timedelta = timedelta()
    exemptions: FakeExemptionStore = field(default_factory=FakeExemptionStore)
    claims: FakeStopClaims = field(default_factory=FakeStopClaims)

    def __post_init__(self) -> None:
        self.azure = FakeAzure(an_estate(a_machine("ci-ada")), now=self.now)

    def now(self) -> datetime:
        return NIGHT + self.slept + timedelta(seconds=asyncio.get_running_loop().time())

    @property
    def asked(self) -> list[str]:
        return [call for call in self.azure.calls if call.startswith("begin_stop ")]

    async def tick(self) -> RunReport:
        shutdown = Shutdown(
            self.azure,
            RecordingTelemetry(),
            now=self.now,
            rules=Rules(
                default_schedule=DAYTIME, allowances=Allowances(late_start=timedelta(hours=2))
            ),
            backing=Backing(
                claims=self.claims,
                exemptions=ExemptionsInForce(store=self.exemptions, known=KnownExemptions()),
            ),
        )
        return await shutdown.run(RunOrder(respect_schedule=True), TICK)


@dataclass
class SleepyClaims(FakeStopClaims):
    """Claims whose worker is suspended right after the first was stored."""

    suspend: Callable[[], object] = lambda: None

    async def claim(self, *args: Any, **kwargs: Any) -> Claim:
        held = await super().claim(*args, **kwargs)
        self.suspend()
        self.suspend = lambda: None
        return held


def test_an_exemption_that_came_while_it_slept_holds() -> None:
    async def story() -> None:
        claims = SleepyClaims()
        host = Host(claims=claims)

        def suspend() -> None:
            host.slept = timedelta(seconds=40)
            host.exemptions.exemptions["late"] = Exemption(
                exemption_id="late",
                resource_id=ADA.id,
                until=NIGHT + timedelta(hours=8),
                reason="a long training",
                claimed_by="ada",
                created_at=host.now(),
            )

        claims.suspend = suspend

        report = await host.tick()

        (ada,) = report.instances
        assert host.asked == []
        assert (ada.outcome, ada.state_after) == (Outcome.LEFT, "Running")
        assert "a long training" in ada.detail
        assert claims.claims == {}

    run_virtually(story())


def test_a_machine_that_another_worker_stopped_and_its_owner_started_again_meanwhile_is_left() -> (
    None
):
    async def story() -> None:
        claims = SleepyClaims()
        host = Host(claims=claims)

        def suspend() -> None:
            host.slept = timedelta(minutes=10)
            (key,) = claims.claims
            claims.claims[key] = Claim(
                run_id="another-run",
                claimed_at=NIGHT + timedelta(minutes=2),
                granted=True,
                version='W/"another"',
                life=key[1],
            )
            machine = host.azure.machine("ci-ada")
            started = LastOperation(
                name="Start", at=NIGHT + timedelta(minutes=9), status="Succeeded", trigger="User"
            )
            machine.compute = replace(machine.compute, last_operation=started)

        claims.suspend = suspend

        report = await host.tick()

        (ada,) = report.instances
        assert host.asked == []
        assert (ada.outcome, ada.state_after) == (Outcome.LEFT, "Running")
        assert [claim.run_id for claim in claims.claims.values()] == ["another-run"]

    run_virtually(story())
