"""Idle times are set as far as that goes: a mistake of our own costs its instance, and is never green."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, cast

import pytest

from shared.compute.idle_shutdown import IdleShutdowns
from shared.compute.idle_shutdown_order import IdleShutdownOrder
from shared.compute.idle_shutdown_report import IdleShutdownReport
from shared.compute.instance import Compute, Workspace
from shared.compute.report import Result, WorkspaceResult
from shared.errors import OpsError
from shared.telemetry import Event
from tests.support.builders import NIGHT, SUBSCRIPTION, a_workspace, an_instance
from tests.support.fake_azure import FakeAzure
from tests.support.night import a_machine, an_estate, later
from tests.support.telemetry import RecordingTelemetry
from tests.support.virtual_time import run_virtually

MISTAKE = ZeroDivisionError("sig=canary")
ADA, CHURN = an_instance("ci-ada").key, a_workspace().id.lower()
ESTATE = an_estate(a_machine("ci-ada"), a_machine("ci-bob"), mlw_other=[a_machine("ci-eve")])
ALL = ("ci-ada", "ci-bob", "ci-eve")


def now() -> datetime:
    return NIGHT + timedelta(seconds=asyncio.get_running_loop().time())


class SecondLookFails(FakeAzure):
    """Azure whose second list of a workspace is of a form that nobody thought of."""

    async def list_computes(self, workspace: Workspace, *, deadline: datetime) -> Sequence[Compute]:
        listed = await super().list_computes(workspace, deadline=deadline)
        if workspace.id.lower() == CHURN and self.calls.count(f"list_computes {workspace.id}") == 2:
            raise MISTAKE
        return listed


@dataclass
class Desk:
    """An estate, and whoever sets idle times in it within one request."""

    azure: FakeAzure = field(default_factory=lambda: FakeAzure(ESTATE, now=now))
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)

    def __post_init__(self) -> None:
        self.idle_shutdowns = IdleShutdowns(
            azure=self.azure,
            telemetry=self.telemetry,
            now=now,
            deadline=now() + timedelta(seconds=200),
        )

    async def set(self, *names: str, **rest: Any) -> IdleShutdownReport:
        order = IdleShutdownOrder(
            instances=list(names), idle_minutes=60, **{"dry_run": False, **rest}
        )
        return await self.idle_shutdowns.set(order)


def outcomes(report: IdleShutdownReport) -> dict[str, str]:
    return {each.name: each.outcome for each in report.instances}


def test_a_mistake_about_one_instance_spares_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        desk = Desk()
        desk.azure.failures[ADA] = MISTAKE

        report = await desk.set(*ALL)

        assert outcomes(report) == {"ci-ada": "unresolved", "ci-bob": "set", "ci-eve": "set"}
        assert "ZeroDivisionError about ci-ada" in report.instances[0].detail
        (troubled,) = report.workspaces
        assert (troubled.id.lower(), troubled.result) == (CHURN, WorkspaceResult.READ)
        assert report.result is Result.PARTIAL
        assert "canary" not in report.model_dump_json()
        assert len(desk.telemetry.named(Event.COMPUTE_IDLE_SHUTDOWN_SET)) == len(ALL)

    run_virtually(story())

    assert [record.getMessage() for record in caplog.records if record.exc_info] == [
        f"an unexpected error in {a_workspace().id}: ZeroDivisionError about ci-ada"
    ]


def test_what_was_set_in_spite_of_a_mistake_is_reported_as_set_and_not_green() -> None:
    async def story() -> None:
        desk = Desk()
        desk.azure.failures[ADA] = MISTAKE
        ada = desk.azure.machine("ci-ada")
        later(1, lambda: ada.set_idle_time(timedelta(minutes=60)))

        report = await desk.set("ci-ada")

        assert outcomes(report) == {"ci-ada": "set"}
        assert report.result is Result.PARTIAL

    run_virtually(story())


@pytest.mark.parametrize("scope", [CHURN, f"/subscriptions/{SUBSCRIPTION}"])
def test_a_mistake_about_all_that_was_named_is_an_error_without_its_words(scope: str) -> None:
    async def story() -> None:
        desk = Desk()
        desk.azure.failures[scope] = MISTAKE

        with pytest.raises(OpsError, match="an unexpected error of this app, ZeroDivisionError"):
            await desk.set(an_instance("ci-ada").id)

    run_virtually(story())


def test_a_workspace_that_cannot_be_understood_spares_the_others() -> None:
    async def story() -> None:
        desk = Desk()
        desk.azure.failures[CHURN] = MISTAKE

        report = await desk.set("ci-eve", an_instance("ci-ada").id)

        assert outcomes(report) == {"ci-eve": "set"}
        (unread,) = report.workspaces
        assert (unread.id.lower(), unread.result) == (CHURN, WorkspaceResult.UNREADABLE)
        assert report.result is Result.PARTIAL

    run_virtually(story())


def test_a_look_that_cannot_be_understood_is_made_up_for_by_the_next_and_spares_the_others() -> (
    None
):
    async def story() -> None:
        desk = Desk(azure=SecondLookFails(ESTATE, now=now))

        report = await desk.set(*ALL)

        assert set(outcomes(report).values()) == {"set"}
        seen_late = {each.name for each in report.instances if each.seen_at > NIGHT}
        assert seen_late == {"ci-ada", "ci-bob"}
        assert report.result is Result.PARTIAL

    run_virtually(story())


def test_what_cannot_be_told_is_reported_all_the_same() -> None:
    async def story() -> None:
        desk = Desk()
        desk.idle_shutdowns = replace(desk.idle_shutdowns, telemetry=cast("Any", None))

        report = await desk.set(*ALL)

        assert set(outcomes(report).values()) == {"set"}
        assert report.result is Result.PARTIAL
        assert len(report.workspaces) == len({"mlw-churn", "mlw-other"})

    run_virtually(story())


def test_a_mistake_is_answered_207() -> None:
    async def story() -> None:
        desk = Desk()
        desk.azure.failures[ADA] = MISTAKE
        order = IdleShutdownOrder(instances=["ci-ada"], idle_minutes=60, dry_run=False)

        reply = await desk.idle_shutdowns.answer(order)

        assert reply.status == HTTPStatus.MULTI_STATUS

    run_virtually(story())
