"""What health checks may rely on, of Azure's clients for v2 and v1 and of the fake alike."""

import pytest

from shared.errors import AzureRequestError, CredentialError
from shared.scoring.azure import SignIn
from shared.scoring.service import Kind
from tests.support.arm_session import now, trust, within
from tests.support.emulator import EmulatorProcess
from tests.support.scoring_stage import (
    OTHER_WORKSPACE,
    SECONDS,
    WORKSPACE,
    ScoringStages,
    Wanted,
)

BOTH = {Kind.AML_ONLINE, Kind.AML_V1}
STATES = {
    Kind.AML_ONLINE: ("Creating", "Deleting", "Succeeded", "Failed", "Updating", "Canceled"),
    Kind.AML_V1: ("Transitioning", "Healthy", "Unhealthy", "Failed", "Unschedulable"),
}


@pytest.fixture(
    params=[
        "fake aml-online",
        "fake aml-v1",
        "client aml-online",
        # azureml-core warns of its own end, and of much that it imports.
        pytest.param("client aml-v1", marks=pytest.mark.filterwarnings("ignore")),
    ]
)
def stages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ScoringStages:
    which, _, kind = request.param.partition(" ")
    if which == "fake":
        return ScoringStages(kind=Kind(kind))
    emulator: EmulatorProcess = request.getfixturevalue("emulator")
    trust(emulator, monkeypatch)
    for name, value in emulator.env.items():
        monkeypatch.setenv(name, value)
    return ScoringStages(kind=Kind(kind), emulator=emulator)


async def test_services_are_listed_over_all_pages_with_what_a_check_needs(
    stages: ScoringStages,
) -> None:
    names = ["weight", "churn", "price", "yield"]

    async with stages.with_services(*(Wanted(name=name) for name in names)) as stage:
        found = {service.name: service for service in await stage.services()}

    weight = found["weight"]
    assert found.keys() == set(names)
    assert (weight.id, weight.workspace_id, weight.kind) == (stage.id_of(), WORKSPACE, stages.kind)
    assert weight.scoring_uri.startswith("https://")
    assert weight.scoring_uri.endswith("/score")
    assert weight.created_at is not None
    assert weight.created_at <= now()


async def test_a_service_read_by_id_in_any_case_is_the_one_listed(stages: ScoringStages) -> None:
    async with stages.with_services(Wanted(tags={"team": "growth"})) as stage:
        (listed,) = await stage.services()
        found = await stage.azure.get_service(stage.id_of("WEIGHT"), deadline=within(SECONDS))

    assert found == listed
    assert found.tags == {"team": "growth"}


async def test_states_are_in_azures_words(stages: ScoringStages) -> None:
    states = STATES[stages.kind]
    wanted = [Wanted(name=f"in-{state.lower()}", state=state) for state in states]

    async with stages.with_services(*wanted) as stage:
        found = [service.state for service in await stage.services()]

    assert found == list(states)


async def test_what_else_azure_says_of_its_health_is_told(stages: ScoringStages) -> None:
    """v1 says why a service failed, v2 which deployment gets traffic; neither says both."""
    told = ("DeploymentTimedOut", "The polling has TimedOut.")
    has_error = stages.kind is Kind.AML_V1
    amiss = Wanted(error=told) if has_error else Wanted(gets_traffic=False)

    async with stages.with_services(amiss, Wanted(name="well")) as stage:
        services = await stage.services()

    found = {service.name: (service.error, service.gets_traffic) for service in services}
    assert found == {
        "weight": (": ".join(told), None) if has_error else ("", False),
        "well": ("", None if has_error else True),
    }


async def test_how_to_sign_in_is_told(stages: ScoringStages) -> None:
    wanted = [Wanted(name="by-key"), Wanted(name="by-token", sign_in=SignIn.AML_TOKEN)]

    async with stages.with_services(*wanted) as stage:
        found = {service.name: service.sign_in for service in await stage.services()}

    assert found == {"by-key": SignIn.KEY, "by-token": SignIn.AML_TOKEN}


async def test_a_workspace_without_services_is_listed(stages: ScoringStages) -> None:
    async with stages.with_services() as stage:
        found = await stage.azure.list_services(WORKSPACE, deadline=within(SECONDS))

    assert (found.workspace_id, found.listed, list(found.services)) == (WORKSPACE, True, [])


async def test_a_workspace_without_access_is_an_outcome_that_spares_the_others(
    stages: ScoringStages,
) -> None:
    async with stages.with_services(Wanted(), forbidden=True) as stage:
        refused = await stage.azure.list_services(WORKSPACE, deadline=within(SECONDS))
        other = await stage.azure.list_services(OTHER_WORKSPACE, deadline=within(SECONDS))

    assert (refused.workspace_id, refused.listed, list(refused.services)) == (WORKSPACE, False, [])
    assert "403" in refused.problem
    assert other.listed


async def test_a_workspace_that_is_not_there_is_an_outcome(stages: ScoringStages) -> None:
    gone = WORKSPACE.replace("mlw-churn", "mlw-gone")

    async with stages.with_services() as stage:
        found = await stage.azure.list_services(gone, deadline=within(SECONDS))

    assert not found.listed
    assert "404" in found.problem


async def test_a_service_that_is_not_there_is_an_error_that_will_not_pass(
    stages: ScoringStages,
) -> None:
    async with stages.with_services(Wanted()) as stage:
        for ask in (stage.azure.get_service, stage.azure.get_key, stage.azure.get_token):
            with pytest.raises(AzureRequestError) as raised:
                await ask(stage.id_of("gone"), deadline=within(SECONDS))

            assert (raised.value.status, raised.value.retryable) == (404, False)


async def test_a_key_opens_its_service_and_is_not_shown(stages: ScoringStages) -> None:
    async with stages.with_services(Wanted()) as stage:
        key = await stage.key()
        opened = await stage.opens(key)

    assert opened
    assert (key.refresh_after, key.expires_at) == (None, None)
    assert key.value not in repr(key)


async def test_a_token_opens_its_service_and_says_how_long(stages: ScoringStages) -> None:
    async with stages.with_services(Wanted(sign_in=SignIn.AML_TOKEN)) as stage:
        token = await stage.token()
        opened = await stage.opens(token)

    assert opened
    assert token.refresh_after is not None
    assert token.expires_at is not None
    assert now() < token.refresh_after < token.expires_at < within(13 * 3600)


@pytest.mark.parametrize("sign_in", [SignIn.KEY, SignIn.AML_TOKEN])
async def test_a_service_gives_only_what_it_signs_in_with(
    stages: ScoringStages, sign_in: SignIn
) -> None:
    async with stages.with_services(Wanted(sign_in=sign_in)) as stage:
        with pytest.raises(AzureRequestError) as raised:
            await (stage.token() if sign_in is SignIn.KEY else stage.key())

    assert not raised.value.retryable


async def test_after_the_deadline_nothing_is_known(stages: ScoringStages) -> None:
    past = within(-1)

    async with stages.with_services(Wanted()) as stage:
        listed = await stage.azure.list_services(WORKSPACE, deadline=past)
        with pytest.raises(AzureRequestError) as raised:
            await stage.azure.get_key(stage.id_of(), deadline=past)

    assert "deadline" in listed.problem
    assert raised.value.retryable


async def test_an_answer_that_does_not_come_is_an_outcome_at_the_deadline(
    stages: ScoringStages,
) -> None:
    async with stages.with_services(Wanted()) as stage:
        # What loads on first use is loaded.
        await stage.services()
        stage.hang()
        found = await stage.azure.list_services(WORKSPACE, deadline=within(1))

    assert not found.listed
    assert found.problem


async def test_nobody_signed_in_is_told_as_such(stages: ScoringStages) -> None:
    async with stages.with_services(Wanted(), token=None) as stage:
        listed = await stage.azure.list_services(WORKSPACE, deadline=within(SECONDS))
        with pytest.raises(CredentialError) as raised:
            await stage.key()

    assert "the vault is locked" in listed.problem
    assert "the vault is locked" in str(raised.value)
