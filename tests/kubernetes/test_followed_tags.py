"""A push to the registry reaches a Deployment by itself; one that is undone does not end the following."""

from shared.clients.aks import AksMover
from shared.clients.registry import RegistryClient
from shared.scoring.redeploy.record import State
from shared.scoring.redeploy.tag_following import TagFollowing
from shared.scoring.service import Kind
from tests.support.aks_stage import open_stage
from tests.support.arm_session import FixedToken
from tests.support.container_groups import push
from tests.support.kubernetes import CLUSTER, Kubernetes, a_cluster, a_manifest, answering
from tests.support.scoring_builders import a_subject

AUDIENCE = "https://containerregistry.azure.net"


async def test_a_wrong_push_is_undone_and_the_tag_is_followed_though_a_digest_runs(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    emulator = kubernetes.emulator
    host = emulator.url.removeprefix("https://").rstrip("/")
    image = f"{host}/weight:stable"
    seed = a_cluster(a_manifest(image=image))
    seed["images"][image] = answering(161.8533)
    emulator.seed(seed)
    stage = open_stage(mover, kubernetes)
    stage.subjects = {
        "weight": a_subject(
            "weight",
            kind="aks",
            resource_id=CLUSTER,
            aks={"deployment": "weight"},
            follow_tag=True,
        )
    }
    following = TagFollowing(
        opening=stage.opening(),
        movers={Kind.AKS: mover},
        tags=RegistryClient(FixedToken(emulator.arm_token(AUDIENCE)), trusted_suffix=host),
        now=stage.now,
    )
    subjects = list(stage.subjects.values())

    push(emulator, image, **answering(66.2))
    (wrong,) = await following.follow(subjects)
    await stage.run()
    (deployment,) = emulator.state()["managed_clusters"][0]["deployments"]
    left_alone = await following.follow(subjects)
    mended = push(emulator, image, **answering(161.8533, logs="Mended.\n"))
    stage.clock += 6 * stage.allowance.cooldown
    (right,) = await following.follow(subjects)
    await stage.run()

    undone, done = [await stage.redeploy(each.redeploy_id) for each in (wrong, right)]
    assert (undone.state, left_alone) == (State.UNDONE, [])
    assert deployment["images"] != [image]
    assert (done.state, done.digest_after) == (State.SUCCEEDED, mended)
    assert done.change.target == f"{image}@{mended}"
    assert kubernetes.weight_of_138().json() == {"response": [161.8533]}
