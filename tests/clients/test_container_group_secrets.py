"""Secure values of container groups: supplied again from Key Vault, or nothing is PUT."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.errors import AzureRequestError, CredentialError
from shared.scoring.redeploy.mover import ChangeKind, Phase
from tests.support.arm_session import ArmSession
from tests.support.container_groups import REPOSITORY, a_container, a_group, seen, with_group
from tests.support.moved_group import RESTART, an_image, moving

VALUES = {
    "containers/weight/environmentVariables/API_KEY": "env-value",
    "initContainers/prepare/environmentVariables/SAS": "init-value",
    "imageRegistryCredentials/contoso.azurecr.io/password": "registry-value",
    "volumes/models/azureFile/storageAccountKey": "share-value",
    "volumes/conf/secret/conf.R": "ZmlsZS12YWx1ZQ==",
    "diagnostics/logAnalytics/workspaceKey": "log-value",
}
NAMES = {field: f"weight-{number}" for number, field in enumerate(VALUES)}
VAULT = {NAMES[field]: value for field, value in VALUES.items()}


def secure_group(**properties: Any) -> dict[str, Any]:
    """A group with a secure value of each kind, and plain ones beside them."""
    values = list(VALUES.values())
    environment = [{"name": "API_KEY", "secureValue": values[0]}, {"name": "PORT", "value": "80"}]
    prepare = {
        "image": REPOSITORY,
        "environmentVariables": [{"name": "SAS", "secureValue": values[1]}],
    }
    login = {"server": "contoso.azurecr.io", "username": "puller", "password": values[2]}
    share = {"shareName": "m", "storageAccountName": "st", "storageAccountKey": values[3]}
    inner = {
        "initContainers": [{"name": "prepare", "properties": prepare}],
        "imageRegistryCredentials": [login],
        "volumes": [
            {"name": "models", "azureFile": share},
            {"name": "conf", "secret": {"conf.R": values[4]}},
            {"name": "scratch", "emptyDir": {}},
        ],
        "diagnostics": {"logAnalytics": {"workspaceId": "w", "workspaceKey": values[5]}},
        "ipAddress": {"type": "Public", "dnsNameLabel": "weight", "ports": [{"port": 8000}]},
    }
    return a_group(a_container(environmentVariables=environment), **(inner | properties))


async def test_every_secure_value_survives_a_new_image(session: ArmSession) -> None:
    with_group(session.emulator, secure_group())
    before = seen(session.emulator)["secureValues"]

    async with moving(session, vault=VAULT, secrets=NAMES) as group:
        snapshot = await group.snapshot()
        await group.change(an_image("2"), snapshot)
        await group.until(Phase.READY, snapshot)

    after = seen(session.emulator)
    assert before.keys() == VALUES.keys()
    assert (after["secureValues"], after["effects"]["puts"]) == (before, 1)
    assert ChangeKind.IMAGE not in snapshot.refuses


@pytest.mark.parametrize("field", VALUES)
async def test_a_value_that_cannot_be_supplied_allows_a_restart_only_and_is_named(
    session: ArmSession, field: str
) -> None:
    with_group(session.emulator, secure_group())
    before = seen(session.emulator)
    names = {each: name for each, name in NAMES.items() if each != field}

    async with moving(session, vault=VAULT, secrets=names) as group:
        snapshot = await group.snapshot()
        with pytest.raises(AzureRequestError, match="would lose"):
            await group.change(an_image("2"), snapshot)

    named = field.replace("conf.R", "*")
    assert named in snapshot.refuses[ChangeKind.IMAGE]
    assert ChangeKind.RESTART not in snapshot.refuses
    assert seen(session.emulator) == before


@pytest.mark.parametrize(
    ("vault", "own", "problem"),
    [
        ({}, (), "does not exist"),
        (VAULT, VAULT, "the app's own"),
        (dict.fromkeys(VAULT, ""), (), "empty"),
    ],
    ids=["not there", "the app's own", "empty"],
)
async def test_a_secret_that_cannot_be_had_is_told_before_anything_is_touched(
    session: ArmSession, vault: Mapping[str, str], own: Any, problem: str
) -> None:
    with_group(session.emulator, secure_group())

    async with moving(session, vault=vault, own_secrets=frozenset(own), secrets=NAMES) as group:
        snapshot = await group.snapshot()

    assert problem in snapshot.refuses[ChangeKind.IMAGE]
    assert "weight-0" in snapshot.refuses[ChangeKind.IMAGE]


async def test_a_vault_that_is_away_refuses_nothing_for_good(session: ArmSession) -> None:
    with_group(session.emulator, secure_group())

    async with moving(session, vault=None, secrets=NAMES) as group:
        with pytest.raises(CredentialError) as raised:
            await group.snapshot()

    assert raised.value.retryable


async def test_a_log_that_hangs_does_not_hide_the_rest(session: ArmSession) -> None:
    with_group(session.emulator, a_group(a_container(image=f"{REPOSITORY}:talks")))
    session.emulator.fault("/logs$", hang_seconds=30, times=None)

    async with moving(session) as group:
        snapshot = await group.snapshot()
        state = await group.state(snapshot)

    assert state.evidence[0].startswith("group: ")
    assert "did not come in time" in state.evidence[-1]


async def test_references_to_a_vault_and_identities_need_no_secret(session: ArmSession) -> None:
    identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/x/id"
    container = a_container(
        environmentVariables=[{"name": "API_KEY", "secureValueReference": "key"}]
    )
    document = a_group(
        container,
        secretReferences=[{"name": "key", "identity": identity, "secretReferenceUri": "https://v"}],
        imageRegistryCredentials=[{"server": "contoso.azurecr.io", "identity": identity}],
        volumes=[
            {"name": "m", "azureFile": {"shareName": "m", "storageAccountKeyReference": "key"}}
        ],
    )
    with_group(
        session.emulator,
        document,
        identity={"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
    )

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(an_image("2"), snapshot)
        await group.until(Phase.READY, snapshot)

    (put,) = session.seen("/containerGroups/weight", method="PUT")
    assert put["status"] == 200
    assert ChangeKind.IMAGE not in snapshot.refuses


async def test_a_restart_with_the_same_image_needs_no_put_to_be_undone(session: ArmSession) -> None:
    with_group(session.emulator, secure_group())
    before = seen(session.emulator)["secureValues"]

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(RESTART, snapshot)
        await group.until(Phase.READY, snapshot)
        await group.undo(snapshot)
        state = await group.until(Phase.READY, snapshot, undone=True)

    after = seen(session.emulator)
    assert state.digest == snapshot.digest
    assert (after["effects"]["puts"], after["secureValues"]) == (0, before)


async def test_what_a_container_prints_of_its_open_settings_is_told_by_their_names(
    session: ArmSession,
) -> None:
    login = {"name": "LOGIN", "value": "env-value"}
    with_group(session.emulator, a_group(a_container(environmentVariables=[login])))

    async with moving(session) as group:
        snapshot = await group.snapshot()
        await group.change(an_image("talks"), snapshot)
        failed = await group.until(Phase.FAILED, snapshot)

    assert "weight: log: the key is <LOGIN>" in failed.evidence


async def test_what_a_container_prints_is_told_without_the_values(session: ArmSession) -> None:
    document = secure_group()
    inner = document["properties"]["containers"][0]["properties"]
    with_group(session.emulator, document)

    async with moving(session, vault=VAULT, secrets=NAMES) as group:
        snapshot = await group.snapshot()
        inner["image"] = f"{REPOSITORY}:talks"
        await group.change(an_image("talks"), snapshot)
        failed = await group.until(Phase.FAILED, snapshot)

    evidence = "\n".join(failed.evidence)
    assert "the key is <secret>" in evidence
    assert not [each for each in VALUES.values() if each in evidence]


async def test_a_log_is_withheld_where_its_secrets_cannot_be_told(session: ArmSession) -> None:
    container = a_container(image=f"{REPOSITORY}:talks")
    with_group(session.emulator, a_group(container))

    async with moving(session, secrets=NAMES) as group:
        snapshot = await group.snapshot()
        state = await group.state(snapshot)

    evidence = "\n".join(state.evidence)
    assert "withheld" in evidence
    assert "the key is" not in evidence


async def test_a_snapshot_holds_no_setting_of_the_group(session: ArmSession) -> None:
    with_group(session.emulator, secure_group())

    async with moving(session, vault=VAULT, secrets=NAMES) as group:
        snapshot = await group.snapshot()

    kept = str(snapshot)
    assert not [each for each in (*VALUES.values(), "'80'", "puller") if each in kept]
