"""A run and the exemptions: honoured, also as last known while storage is away."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from shared.compute.exemptions import Exemption, ExemptionsInForce, KnownExemptions
from shared.compute.order import RunOrder
from shared.compute.report import RunReport, Trigger
from shared.compute.run import Occasion
from shared.compute.shutdown import Backing, Shutdown
from shared.telemetry import Event
from tests.support.builders import NIGHT, a_workspace, after, an_instance
from tests.support.fake_storage import FakeExemptionStore
from tests.support.night import Night, a_machine, an_estate, carry_out

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
