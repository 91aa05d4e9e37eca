"""A claim holds as long as its stop may have an effect, and not a moment longer."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.compute.history import Claim
from shared.compute.order import RunOrder
from shared.compute.report import Outcome, RunReport, Trigger
from shared.compute.run import Occasion
from shared.compute.shutdown import Backing, Shutdown
from shared.errors import CredentialError, StorageUnavailableError
from tests.support.builders import LONG_AGO, NIGHT, a_watch, after, an_instance, look
from tests.support.fake_azure import FakeAzure
from tests.support.fake_storage import FakeStopClaims
from tests.support.night import Night, Prepare, a_machine, an_estate, carry_out, later

TICK = Occasion(trigger=Trigger.TIMER, time_limit=timedelta(seconds=200))
ADA = an_instance().key


class StuckClaims(FakeStopClaims):
    async def release(self, *_: object, **__: object) -> bool:
        raise StorageUnavailableError("503 ServerBusy")


def spend(
    machine: Mapping[str, Any], claims: FakeStopClaims, *, prepare: Prepare | None = None
) -> Night:
    """A run over one machine."""
    return carry_out(
        an_estate(machine),
        lambda shutdown: shutdown.run(RunOrder(), TICK),
        prepare=prepare,
        backing=Backing(claims=claims),
    )


def unsent(azure: FakeAzure) -> None:
    azure.failures[ADA] = CredentialError("the secret has expired")


@pytest.mark.parametrize(
    ("behaviour", "prepare", "outcome"),
    [
        ({"disk_full": True}, None, Outcome.REFUSED),
        ({"conflict_until": 10_000}, None, Outcome.UNRESOLVED),
        ({}, unsent, Outcome.UNRESOLVED),
    ],
    ids=["refused", "answered 409", "never sent"],
)
def test_a_claim_is_given_back_if_the_stop_was(
    behaviour: Mapping[str, Any], prepare: Prepare | None, outcome: Outcome
) -> None:
    claims = FakeStopClaims()

    night = spend(a_machine("ci-ada", **behaviour), claims, prepare=prepare)

    assert night.outcomes == {"ci-ada": outcome}
    assert claims.claims == {}


@pytest.mark.parametrize("cut", ["", "after_effect"], ids=["accepted", "not answered"])
def test_a_claim_is_kept_if_the_stop_may_take_effect(cut: str) -> None:
    claims = FakeStopClaims()

    night = spend(
        a_machine("ci-ada"),
        claims,
        prepare=lambda azure: azure.cuts.update({"ci-ada": cut} if cut else {}),
    )

    (claim,) = claims.claims.values()
    assert night.outcomes == {"ci-ada": Outcome.STOPPED}
    assert claim.run_id == night.report.run_id


def test_the_next_run_need_not_wait_for_a_stop_that_was_refused() -> None:
    reports: list[RunReport] = []

    async def one_after_the_other(shutdown: Shutdown) -> RunReport:
        for _ in range(2):
            reports.append(await shutdown.run(RunOrder(), TICK))  # noqa: PERF401  # in turn
        return reports[-1]

    night = carry_out(
        an_estate(a_machine("ci-full", disk_full=True)),
        one_after_the_other,
        backing=Backing(claims=FakeStopClaims()),
    )

    assert [report.instances[0].outcome for report in reports] == [Outcome.REFUSED] * 2
    assert night.seconds == 0


def test_a_neighbour_that_lost_the_claim_asks_as_soon_as_it_was_given_back() -> None:
    reports: list[RunReport] = []

    async def both(shutdown: Shutdown) -> RunReport:
        reports.extend(await asyncio.gather(*(shutdown.run(RunOrder(), TICK) for _ in range(2))))
        return reports[0]

    night = carry_out(
        an_estate(a_machine("ci-full", disk_full=True)),
        both,
        backing=Backing(claims=FakeStopClaims()),
    )

    assert [report.instances[0].outcome for report in reports] == [Outcome.REFUSED] * 2
    assert night.seconds <= 10


def test_a_claim_that_cannot_be_given_back_harms_nothing() -> None:
    claims = StuckClaims()

    night = spend(a_machine("ci-full", disk_full=True), claims)

    assert night.outcomes == {"ci-full": Outcome.REFUSED}
    assert len(claims.claims) == 1


def test_a_claim_that_could_not_be_given_back_is_known_as_ours() -> None:
    night = spend(a_machine("ci-ada", conflict_until=14), StuckClaims())

    assert night.outcomes == {"ci-ada": Outcome.STOPPED}
    assert night.seconds < 60


def test_a_stop_that_is_sent_again_is_claimed_again() -> None:
    claims = FakeStopClaims()
    other = Claim(
        run_id="another-run",
        claimed_at=NIGHT + timedelta(seconds=50),
        granted=True,
        version='W/"another"',
    )

    def prepare(azure: FakeAzure) -> None:
        azure.cuts["ci-ada"] = "before_effect"
        key = next(iter(azure.machines.values())).compute.last_operation
        assert key is not None
        later(50, lambda: claims.claims.update({(ADA, key.at): other}))
        later(63, lambda: azure.machine("ci-ada").stop(azure.now()))

    night = spend(a_machine("ci-ada"), claims, prepare=prepare)

    assert night.asked == ["ci-ada"]
    ada = night.instance("ci-ada")
    assert ada.outcome is Outcome.ALREADY_STOPPED
    assert "another-run" in ada.detail


def test_only_a_look_a_minute_after_a_claim_shows_that_it_had_no_effect() -> None:
    watch = a_watch()
    claim = Claim(run_id="another-run", claimed_at=after(5), granted=False, life=LONG_AGO)

    assert not watch.shows_no_effect_of(claim)
    assert not look(watch, "Running", at=64).shows_no_effect_of(claim)
    assert look(watch, "Running", at=65).shows_no_effect_of(claim)
