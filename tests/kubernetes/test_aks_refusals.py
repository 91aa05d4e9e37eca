"""What the mover of services on AKS refuses by name, and which right it says that it lacks."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.clients.aks import AksMover
from shared.errors import AzureRequestError, MissingRightError
from shared.scoring.redeploy.mover import ChangeKind
from tests.support.aks import MARKER, RESTART, SERVICE, begun, settled, to
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import BETTER, CRASHES, a_cluster, a_manifest, an_aks_service

CREDENTIAL = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"


@pytest.mark.parametrize(
    ("manifest", "named"),
    [
        (a_manifest(paused=True), "spec.paused"),
        (a_manifest(revisionHistoryLimit=0), "spec.revisionHistoryLimit"),
        (
            {
                **a_manifest(),
                "metadata": {"name": "weight", "annotations": {"meta.helm.sh/release-name": "w"}},
            },
            "aks.allow_helm",
        ),
        (
            {
                **a_manifest(),
                "metadata": {"name": "weight", "labels": {"app.kubernetes.io/managed-by": "Helm"}},
            },
            "aks.allow_helm",
        ),
    ],
    ids=["paused", "no history", "annotated by Helm", "labelled by Helm"],
)
async def test_what_could_not_be_undone_or_is_not_ours_is_refused_by_name(
    emulator: EmulatorProcess, mover: AksMover, manifest: Mapping[str, Any], named: str
) -> None:
    emulator.seed(a_cluster(manifest))

    refuses = (await mover.snapshot(SERVICE)).refuses

    assert set(refuses) == set(ChangeKind)
    assert all(named in refuses[kind] for kind in ChangeKind)


async def test_what_helm_made_is_changed_where_the_file_allows_it(
    emulator: EmulatorProcess, mover: AksMover
) -> None:
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    emulator.seed(a_cluster({**a_manifest(), "metadata": {"name": "weight", "labels": labels}}))

    refuses = (await mover.snapshot(an_aks_service(allow_helm=True))).refuses

    assert set(refuses) == {ChangeKind.MODEL}


async def test_a_container_must_be_named_where_there_are_several(
    emulator: EmulatorProcess, mover: AksMover
) -> None:
    manifest = a_manifest()
    containers = manifest["spec"]["template"]["spec"]["containers"]
    containers.append({"name": "proxy", "image": BETTER})
    emulator.seed(a_cluster(manifest))

    with pytest.raises(AzureRequestError, match=r"aks\.container.*weight, proxy"):
        await mover.snapshot(SERVICE)

    snapshot = await mover.snapshot(an_aks_service(container="proxy"))
    assert snapshot.image == BETTER


async def test_the_azure_action_that_is_missing_is_named(
    emulator: EmulatorProcess, mover: AksMover
) -> None:
    emulator.seed(a_cluster() | {"access": {"service_principal": [{"actions": ["*/read"]}]}})

    with pytest.raises(MissingRightError) as raised:
        await mover.snapshot(SERVICE)

    assert raised.value.action == CREDENTIAL


async def test_the_verb_of_kubernetes_that_is_missing_is_named(
    emulator: EmulatorProcess, mover: AksMover
) -> None:
    emulator.seed(a_cluster(rules=[{"verbs": ["get", "list"]}]))
    snapshot = await mover.snapshot(SERVICE)

    with pytest.raises(MissingRightError, match="namespace default") as raised:
        await mover.change(SERVICE, RESTART, snapshot=snapshot, marker=MARKER)

    assert raised.value.action == "patch deployments.apps"


async def test_a_log_that_may_not_be_read_does_not_hide_the_rest(
    emulator: EmulatorProcess, mover: AksMover
) -> None:
    resources = ["deployments", "replicasets", "pods"]
    manifest = a_manifest(progressDeadlineSeconds=60)
    emulator.seed(a_cluster(manifest, rules=[{"resources": resources}]))

    state = await settled(mover, await begun(mover, to(CRASHES)))

    told = "\n".join(state.evidence)
    assert "CrashLoopBackOff" in told
    assert "no log: the service principal lacks get pods/log" in told
