"""What a seed says goes wrong with redeploys, and who then answers what."""

from typing import Any

import pytest

from tests.azure_emulator.conftest import Arm, estate, eventually
from tests.azure_emulator.scored import GOLDEN, a_service
from tests.azure_emulator.test_service_updates import SERVICE, patch, shown
from tests.support.container_groups import GROUP_ID, a_group, seen, with_group
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import GOOD, Kubernetes, a_cluster, a_manifest, answering, connect

BAD_SECOND = "registry.example/weight:bad-second"


@pytest.fixture
def cluster(emulator: EmulatorProcess) -> Kubernetes:
    """A cluster where a rollout is late after 0.6 real seconds, and a Deployment of two replicas."""
    seed = a_cluster(a_manifest(progressDeadlineSeconds=60))
    image = answering(66.2, starts="crashes", good_pods=1)
    emulator.seed({**seed, "images": {**seed["images"], BAD_SECOND: image}})
    return connect(emulator)


def progressing(cluster: Kubernetes) -> str:
    conditions = cluster.deployment()["status"]["conditions"]
    return next(str(each["reason"]) for each in conditions if each["type"] == "Progressing")


def test_a_rollout_fails_at_its_second_replica_while_old_and_new_answer(
    cluster: Kubernetes,
) -> None:
    cluster.set_image(BAD_SECOND)

    eventually(lambda: progressing(cluster) == "ProgressDeadlineExceeded")
    answers = {cluster.weight_of_138().body for _ in range(8)}
    status = cluster.deployment()["status"]
    assert (status["updatedReplicas"], status["availableReplicas"]) == (2, 2)
    assert len(answers) == 2
    cluster.set_image(GOOD)
    eventually(lambda: progressing(cluster) == "NewReplicaSetAvailable")
    assert b"161.8533" in cluster.weight_of_138().body


def test_a_container_group_may_never_get_an_address(arm: Arm) -> None:
    public = {"type": "Public", "ports": [{"port": 8000}], "dnsNameLabel": "weight"}
    behaviour = {"never_gets_an_address": True}
    with_group(arm.emulator, a_group(ipAddress=public), behaviour=behaviour)

    address = arm.get(GROUP_ID).json()["properties"]["ipAddress"]

    assert "ip" not in address
    assert "fqdn" not in address
    assert arm.emulator.wire.get(f"{seen(arm.emulator)['url']}/weight").status == 503


def test_an_update_of_a_v1_service_fails_with_logs_that_say_why(arm: Arm) -> None:
    problem = "Error in readRDS: unknown input format\n"
    assets: list[dict[str, Any]] = [
        {"name": "weight:4", "answers": [GOLDEN]},
        {"name": "weight:7", "provisioning": "fails", "logs": problem},
    ]
    arm.emulator.seed(estate(services=[a_service(image="weight:4")], assets=assets))

    patch(arm, "/imageId", "weight:7")

    eventually(lambda: shown(arm)["state"] == "Failed")
    assert arm.get(f"{SERVICE}/logs").json() == {"content": problem}
