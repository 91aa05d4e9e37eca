"""A run over the emulator while everything goes wrong at random: what it says is what was so."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from shared.compute.order import RunOrder
from shared.compute.patience import Patience
from shared.compute.report import Outcome, Result, RunReport, Trigger
from shared.compute.run import Occasion, Rules
from shared.compute.shutdown import Shutdown
from shared.errors import NothingEnumeratedError
from tests.support.arm_session import ArmSession, now, trust
from tests.support.builders import OTHER_SUBSCRIPTION, SUBSCRIPTION
from tests.support.emulator import EmulatorProcess
from tests.support.pace import BUSY_SECONDS
from tests.support.telemetry import RecordingTelemetry

SECONDS = 4
LAST_LOOK = timedelta(seconds=2)
RULES = Rules(
    poll=timedelta(seconds=0.2),
    last_look=LAST_LOOK,
    patience=Patience(without_effect=timedelta(seconds=1.2), conflict=timedelta(seconds=0.3)),
)
PATHS = ["/subscriptions$", "/workspaces$", "/computes$", "/stop$", "Operation", "/vmSizes$"]
BEHAVIOURS: Sequence[Mapping[str, Any]] = [
    {},
    {},
    {},
    {"disk_full": True},
    {"stop_fails": True},
    {"never_stops": True},
    {"conflict_until": 40},
    {"starts_again_after": 40},
    {"stop_seconds": 50},
]
EFFECTS: Sequence[Mapping[str, Any]] = [
    {"status": 429, "headers": {"Retry-After": "0"}},
    {"status": 500},
    {"status": 503, "headers": {"Retry-After": "1"}},
    {"status": 409, "body": {"error": {"code": "Conflict", "message": "Busy."}}},
    {"status": 404},
    {"status": 200, "body": {}},
    {"hang_seconds": 1},
    {"cut": "before_effect"},
    {"cut": "after_effect"},
    {"cut": "mid_body"},
    {"malformed_json": True},
]
STATES = ["Running", "Running", "Running", "Starting", "Stopping", "Unusable", "Stopped", None]


def an_estate(random: Random) -> Mapping[str, Any]:
    def machine(number: int) -> Mapping[str, Any]:
        behaviour = {**random.choice(BEHAVIOURS), "settles_after": 30}
        return {"name": f"ci-{number}", "state": random.choice(STATES), "behaviour": behaviour}

    def workspace(name: str) -> Mapping[str, Any]:
        return {"name": name, "computes": [machine(number) for number in range(6)]}

    return {
        "subscriptions": [
            {"id": guid, "workspaces": [workspace(f"mlw-{each}") for each in "ab"]}
            for guid in (SUBSCRIPTION, OTHER_SUBSCRIPTION)
        ]
    }


async def shut_down(session: ArmSession) -> RunReport:
    async with session.machine_learning() as azure:
        shutdown = Shutdown(azure, RecordingTelemetry(), now=now, rules=RULES)
        limit = timedelta(seconds=SECONDS)
        return await shutdown.run(RunOrder(), Occasion(trigger=Trigger.TIMER, time_limit=limit))


@pytest.mark.parametrize("number", range(2))
async def test_a_report_is_true_whatever_goes_wrong(
    emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    random = Random(number)  # noqa: S311  # no secret
    trust(emulator, monkeypatch)
    emulator.seed(an_estate(random))
    for _ in range(8):
        path, effect = random.choice(PATHS), random.choice(EFFECTS)
        emulator.fault(path, skip=random.randrange(4), times=random.randrange(1, 4), **effect)
    began = now()

    try:
        report = await shut_down(ArmSession(emulator=emulator))
    except NothingEnumeratedError:
        # Every list failed for good: then nothing was asked, either.
        assert sum(each["stop_requests"] for each in emulator.state()["computes"]) == 0
        return

    assert now() - began < timedelta(seconds=SECONDS + BUSY_SECONDS) + LAST_LOOK
    machines = {each["id"].lower(): each for each in emulator.state()["computes"]}
    for each in report.instances:
        _is_true(each.outcome, each.seen_at.isoformat(), machines[each.id.lower()])
    assert (report.result is Result.SUCCEEDED) == _all_is_well(report, machines)


def _is_true(outcome: Outcome, seen_at: str, machine: Mapping[str, Any]) -> None:
    states = [change["state"] for change in machine["history"] if change["at"] <= seen_at]
    last = machine["lastOperation"] or {}
    if outcome in {Outcome.STOPPED, Outcome.ALREADY_STOPPED}:
        assert "Stopped" in states, machine
    if outcome is Outcome.STOPPED:
        assert machine["stop_requests"] > 0, machine
    if outcome is Outcome.STARTED_AGAIN:
        assert last["operationName"] == "Start", machine
    if outcome is Outcome.STOP_FAILED:
        assert last["operationStatus"] == "StopFailed", machine


def _all_is_well(report: RunReport, machines: Mapping[str, Mapping[str, Any]]) -> bool:
    seen = {each.id.lower() for each in report.instances}
    good = {Outcome.STOPPED, Outcome.ALREADY_STOPPED, Outcome.LEFT}
    return seen == machines.keys() and all(each.outcome in good for each in report.instances)
