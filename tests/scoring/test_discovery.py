"""Looking for services in Azure: every workspace, what cannot be listed, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.machine_learning import MachineLearningClient
from shared.clients.online_endpoints import OnlineEndpointsClient
from shared.clients.scoring_workspaces import ScoringWorkspacesClient
from shared.errors import AzureRequestError
from shared.scoring.azure import FoundService
from shared.scoring.discovery import (
    FRESH,
    FRESH_IN_PART,
    Discovery,
    Estate,
    KnownEstate,
    Unread,
    WorkspaceIds,
)
from shared.scoring.service import Kind
from shared.scoring.subjects import join
from tests.support.arm_session import ArmSession, FixedToken, now, trust, within
from tests.support.emulator import EmulatorProcess
from tests.support.fake_scoring import FakeScoring
from tests.support.found_services import OTHER, WORKSPACE, found

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)
FORBIDDEN = AzureRequestError("403 AuthorizationFailed", status=403)


@dataclass
class FixedWorkspaces:
    """The workspaces there are; counts how often it was asked."""

    ids: Sequence[str] = (WORKSPACE, OTHER)
    unread: Sequence[Unread] = ()
    asked: int = 0

    async def list_ids(self, *, deadline: datetime) -> WorkspaceIds:
        del deadline
        self.asked += 1
        return WorkspaceIds(ids=self.ids, unread=self.unread)


@dataclass
class Stage:
    """Two workspaces with a service each, and one worker that looks."""

    workspaces: FixedWorkspaces = field(default_factory=FixedWorkspaces)
    known: KnownEstate = field(default_factory=KnownEstate)
    now: datetime = NOON
    azure: FakeScoring = field(init=False)

    def __post_init__(self) -> None:
        services: dict[str, Sequence[FoundService]] = {
            WORKSPACE: [found()],
            OTHER: [found("svm", workspace=OTHER)],
        }
        self.azure = FakeScoring(now=lambda: self.now, workspaces=services)

    async def look(self, after: timedelta = FRESH) -> Estate:
        self.now += after
        return await Discovery(
            workspaces=self.workspaces,
            azure={Kind.AML_ONLINE: self.azure},
            known=self.known,
            now=lambda: self.now,
        ).look(time_limit=A_MINUTE)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def names(estate: Estate) -> list[str]:
    return sorted(each.name for each in estate.found)


async def test_services_of_all_workspaces_are_found(stage: Stage) -> None:
    estate = await stage.look()

    assert names(estate) == ["svm", "weight"]
    assert estate.unread == ()


async def test_azure_is_asked_every_quarter_of_an_hour(stage: Stage) -> None:
    await stage.look()
    await stage.look(FRESH - A_MINUTE)
    asked = stage.workspaces.asked
    await stage.look(A_MINUTE)

    assert (asked, stage.workspaces.asked) == (1, 2)


async def test_a_workspace_that_says_no_spares_the_others_and_is_named(stage: Stage) -> None:
    stage.azure.failures[OTHER] = FORBIDDEN

    estate = await stage.look()

    assert names(estate) == ["weight"]
    assert [(each.scope, each.problem) for each in estate.unread] == [(OTHER, str(FORBIDDEN))]


async def test_azure_is_asked_again_soon_where_a_part_could_not_be_listed(stage: Stage) -> None:
    stage.azure.failures[OTHER] = FORBIDDEN
    await stage.look()
    await stage.look(FRESH_IN_PART - A_MINUTE)
    asked = stage.workspaces.asked
    await stage.look(A_MINUTE)

    assert (asked, stage.workspaces.asked) == (1, 2)


async def test_what_was_seen_where_nobody_can_look_now_is_kept(stage: Stage) -> None:
    await stage.look()
    stage.azure.failures[OTHER] = FORBIDDEN
    stage.azure.workspaces[WORKSPACE] = []

    assert names(await stage.look()) == ["svm"]


async def test_what_was_seen_says_when(stage: Stage) -> None:
    first = await stage.look()
    stage.azure.failures[OTHER] = FORBIDDEN
    second = await stage.look()
    third = await stage.look()

    at = [
        {each.name: word.seen_at for each in estate.found if (word := estate.word_of(each))}
        for estate in (first, second, third)
    ]
    seen = [NOON + number * FRESH for number in (1, 2, 3)]
    assert at == [
        {"weight": seen[0], "svm": seen[0]},
        {"weight": seen[1], "svm": seen[0]},
        {"weight": seen[2], "svm": seen[0]},
    ]


@pytest.mark.parametrize("scope", ["", "/".join(WORKSPACE.split("/")[:3])])
async def test_a_subscription_that_cannot_be_listed_loses_nothing(stage: Stage, scope: str) -> None:
    await stage.look()
    stage.workspaces.ids, stage.workspaces.unread = (), [Unread(scope=scope, problem="503")]

    assert names(await stage.look()) == ["svm", "weight"]


async def test_a_workspace_that_is_gone_takes_its_services_along(stage: Stage) -> None:
    await stage.look()
    stage.workspaces.ids = (WORKSPACE,)

    assert names(await stage.look()) == ["weight"]


@pytest.mark.parametrize(
    ("scope", "problem", "said"),
    [
        (WORKSPACE, "403", f"{WORKSPACE}: 403"),
        (WORKSPACE, f"GET {WORKSPACE}/x: 403", f"ws-R: GET {WORKSPACE}/x: 403"),
        (WORKSPACE.upper(), f"GET {WORKSPACE}/x: 403", f"WS-R: GET {WORKSPACE}/x: 403"),
        ("", "GET /subscriptions: 503", "Azure: GET /subscriptions: 503"),
    ],
)
def test_what_could_not_be_listed_is_named_once(scope: str, problem: str, said: str) -> None:
    assert Unread(scope=scope, problem=problem).said == said


def test_a_scope_covers_what_lies_below_it_and_no_namesake() -> None:
    scope = Unread(scope=WORKSPACE.upper(), problem="", kind=Kind.AML_ONLINE)

    assert scope.covers(Kind.AML_ONLINE, found().id)
    assert not scope.covers(Kind.AML_V1, found().id)
    assert not scope.covers(Kind.AML_ONLINE, found(workspace=f"{WORKSPACE}-2").id)


async def test_the_default_estates_endpoints_are_found_over_resource_manager(
    emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(emulator, monkeypatch)
    async with ArmSession(emulator).open() as arm:
        client = OnlineEndpointsClient(arm, credential=FixedToken(None), now=now)
        discovery = Discovery(
            workspaces=ScoringWorkspacesClient(MachineLearningClient(arm, now=now)),
            azure={Kind.AML_ONLINE: client},
            known=KnownEstate(),
            now=now,
        )
        estate = await discovery.look(time_limit=A_MINUTE)

    subjects = join([], estate).subjects
    assert estate.unread == ()
    assert subjects
    assert all(each.url.startswith("https://") and not each.problem for each in subjects)


async def test_workspaces_that_cannot_be_listed_are_named(
    emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(emulator, monkeypatch)
    emulator.fault("/subscriptions$", status=403)
    async with ArmSession(emulator).open() as arm:
        workspaces = ScoringWorkspacesClient(MachineLearningClient(arm, now=now))
        found_ids = await workspaces.list_ids(deadline=within(30))

    assert found_ids.ids == ()
    assert [each.scope for each in found_ids.unread] == [""]
