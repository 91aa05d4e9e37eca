"""A run and the exemptions: honoured, also as last known while storage is away."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from shared.compute.exemptions import Exemption, ExemptionsInForce, KnownExemptions
from shared.compute.lane import PLACES
from shared.compute.order import RunOrder
from shared.compute.report import RunReport, Trigger
from shared.compute.run import Occasion
from shared.compute.shutdown import Backing, Shutdown
from shared.telemetry import Event
from tests.support.builders import NIGHT, a_workspace, after, an_instance
from tests.support.fake_azure import FakeAzure
from tests.support.fake_storage import FakeExemptionStore
from tests.support.night import Night, a_machine, an_estate, carry_out, later

LATER = after(3600)
TWO = an_estate(a_machine("ci-ada"), a_machine("ci-bob"))


def an_exemption(resource_id: str, *, until: datetime = LATER) -> Exemption:
    return Exemption(
        exemption_id="ada-trains",
        resource_id=resource_id,
        until=until,
        reason="a long training",
        claimed_by="ada",
        created_at=NIGHT,
    )


def shut_down(store: FakeExemptionStore, *known: Exemption) -> Night:
    """Run once; `known` is what the worker last read."""

    async def run(shutdown: Shutdown) -> RunReport:
        return await shutdown.run(RunOrder(), Occasion(trigger=Trigger.HTTP))

    in_force = ExemptionsInForce(store=store, known=KnownExemptions(listed=known))
    return carry_out(TWO, run, backing=Backing(exemptions=in_force))


@pytest.mark.parametrize("spelling", [str, str.upper, str.lower])
def test_an_exempted_instance_is_left_and_says_why(spelling: type[str]) -> None:
    exemption = an_exemption(spelling(an_instance().id))

    night = shut_down(FakeExemptionStore(exemptions={"ada-trains": exemption}))

    assert night.outcomes == {"ci-ada": "left", "ci-bob": "stopped"}
    assert night.instance("ci-ada").reason == "exempted"
    assert "a long training" in night.instance("ci-ada").reason_text


def test_an_exempted_workspace_exempts_all_in_it_and_no_namesake() -> None:
    store = FakeExemptionStore(
        exemptions={"a": an_exemption(a_workspace().id), "b": an_exemption(a_workspace("mlw").id)}
    )

    assert set(shut_down(store).outcomes.values()) == {"left"}


def test_an_exemption_that_has_ended_keeps_nothing_up() -> None:
    ended = an_exemption(an_instance().id, until=NIGHT)

    night = shut_down(FakeExemptionStore(exemptions={"ada-trains": ended}), ended)

    assert night.outcomes["ci-ada"] == "stopped"


def test_without_storage_the_exemptions_last_known_hold_and_the_loss_is_told() -> None:
    night = shut_down(FakeExemptionStore(away=True), an_exemption(an_instance().id))

    assert night.outcomes == {"ci-ada": "left", "ci-bob": "stopped"}
    (lost,) = night.telemetry.named(Event.HISTORY_LOST)
    assert lost["operation"] == "exemptions"
    assert lost["run_id"] == night.report.run_id


def keep_up_during_the_run(store: FakeExemptionStore, exemption: Exemption) -> Night:
    """Run over more machines than can be asked at once; ci-bob waits when the exemption comes."""
    crowd = [a_machine(f"ci-crowd-{n}") for n in range(PLACES * 8)]

    def prepare(azure: FakeAzure) -> None:
        azure.hanging |= {an_instance(each["name"]).key for each in crowd}
        later(1, lambda: store.exemptions.update(late=exemption))

    async def run(shutdown: Shutdown) -> RunReport:
        limit = timedelta(seconds=200)
        return await shutdown.run(RunOrder(), Occasion(trigger=Trigger.HTTP, time_limit=limit))

    in_force = ExemptionsInForce(store=store, known=KnownExemptions())
    return carry_out(
        an_estate(*crowd, a_machine("ci-bob")),
        run,
        prepare=prepare,
        backing=Backing(exemptions=in_force),
    )


def test_an_exemption_holds_for_a_machine_that_was_not_asked_yet_when_it_came() -> None:
    night = keep_up_during_the_run(FakeExemptionStore(), an_exemption(an_instance("ci-bob").id))

    bob = night.instance("ci-bob")
    assert "ci-bob" not in night.asked
    assert (bob.outcome, bob.state_after) == ("left", "Running")
    assert "a long training" in bob.detail


class LostStore(FakeExemptionStore):
    """Storage that is there when a run begins, and then no more."""

    async def list_active(self, *, now: datetime) -> Sequence[Exemption]:
        self.away = now > NIGHT
        return await super().list_active(now=now)


def test_exemptions_that_cannot_be_read_again_are_told_once_and_stop_nobody_from_stopping() -> None:
    night = keep_up_during_the_run(LostStore(), an_exemption(an_instance("ci-bob").id))

    (lost,) = night.telemetry.named(Event.HISTORY_LOST)
    assert lost["operation"] == "exemptions"
    assert night.outcomes["ci-bob"] == "stopped"


class BrokenStore(FakeExemptionStore):
    """Storage with a mistake of ours in it."""

    async def list_active(self, *, now: datetime) -> Sequence[Exemption]:
        raise ZeroDivisionError(str(now))


def test_a_run_that_cannot_even_begin_says_that_it_failed() -> None:
    night = shut_down(BrokenStore())

    assert isinstance(night.error, ZeroDivisionError)
    (finished,) = night.telemetry.named(Event.COMPUTE_RUN_FINISHED)
    assert finished["result"] == "failed"
    assert finished["run_id"]
    assert night.asked == []
