"""kubectl's judgement of rollouts, kubeconfigs, and digests, on objects that may lack anything."""

import base64
from typing import Any

import pytest
import yaml

from shared.clients.kubernetes_access import parse_credential
from shared.clients.kubernetes_pods import pinned, running_digest
from shared.clients.kubernetes_rollout import rollout_state, selector_of, undo_patch
from shared.errors import AzureRequestError
from shared.scoring.redeploy.mover import Phase

CLUSTER = "aks-ml"
DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def a_deployment(*, generation: int = 2, replicas: int | None = 2, **status: Any) -> dict[str, Any]:
    """A Deployment whose rollout is over, but for what is said of its status."""
    over = {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}
    spec = {} if replicas is None else {"replicas": replicas}
    return {
        "metadata": {"name": "weight", "generation": generation},
        "spec": spec,
        "status": over | status,
    }


def late(**status: Any) -> dict[str, Any]:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    return a_deployment(conditions=[condition], **status)


@pytest.mark.parametrize(
    ("deployment", "phase", "text"),
    [
        (a_deployment(), Phase.READY, "successfully rolled out"),
        (a_deployment(generation=3), Phase.WAITING, "see the change"),
        (late(), Phase.FAILED, "exceeded its progress deadline"),
        ({**late(), "metadata": {"generation": 3}}, Phase.WAITING, "see the change"),
        (a_deployment(updatedReplicas=1), Phase.WAITING, "1 out of 2 new replicas"),
        (a_deployment(replicas=3), Phase.WAITING, "2 out of 3 new replicas"),
        (a_deployment(availableReplicas=1), Phase.WAITING, "1 of 2 updated replicas"),
        (a_deployment(replicas=None, updatedReplicas=0), Phase.WAITING, "0 out of 1"),
        ({}, Phase.WAITING, "0 out of 1"),
        ({"status": None, "metadata": [], "spec": 5}, Phase.WAITING, "0 out of 1"),
    ],
)
def test_a_rollout_is_judged_as_kubectl_does(
    deployment: dict[str, Any], phase: Phase, text: str
) -> None:
    state = rollout_state(deployment)

    assert (state.phase, text in state.text) == (phase, True)


def test_old_pods_that_are_left_are_waited_for() -> None:
    deployment = a_deployment()
    deployment["status"]["replicas"] = 3

    assert rollout_state(deployment).text == "1 old replicas are pending termination"


def test_an_undoing_keeps_what_belongs_to_the_deployment_itself() -> None:
    revision = "deployment.kubernetes.io/revision"
    deployment = {"metadata": {"annotations": {revision: "3", "team": "new"}}}
    replica_set = {"metadata": {"annotations": {revision: "1", "team": "old", "x": "y"}}}

    *_, annotations = undo_patch(deployment, {}, replica_set)

    assert annotations["value"] == {revision: "3", "team": "old", "x": "y"}


def test_a_selector_is_written_as_queries_have_it() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": {"app": "weight"}, "matchExpressions": expressions}

    assert selector_of({"spec": {"selector": selector}}) == "app=weight,tier in (a,b),!old"


@pytest.mark.parametrize(
    ("image", "by_digest"),
    [
        ("weight", f"weight@{DIGEST}"),
        ("weight:1", f"weight@{DIGEST}"),
        ("r.example:5000/ml/weight:1", f"r.example:5000/ml/weight@{DIGEST}"),
        (f"r.example/weight@{OTHER}", f"r.example/weight@{DIGEST}"),
        (f"r.example/weight:1@{DIGEST}", f"r.example/weight:1@{DIGEST}"),
    ],
)
def test_an_image_is_pinned_by_what_ran(image: str, by_digest: str) -> None:
    assert pinned(image, DIGEST) == by_digest
    assert pinned(image, None) == image


def a_pod(image_id: str) -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"name": "weight", "imageID": image_id}]}}


@pytest.mark.parametrize(
    ("image_ids", "digest"),
    [
        ([f"r.example/weight@{DIGEST}"], DIGEST),
        ([f"docker-pullable://r.example/weight@{DIGEST}"], DIGEST),
        ([f"r.example/weight@{DIGEST}", ""], DIGEST),
        ([f"r.example/weight@{DIGEST}", f"r.example/weight@{OTHER}"], None),
        # The id of an image on a node is no digest of a registry.
        ([DIGEST], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_digest_that_runs_is_known_only_where_all_pods_agree(
    image_ids: list[str], digest: str | None
) -> None:
    assert running_digest([a_pod(each) for each in image_ids], "weight") == digest


def a_credential(config: Any) -> dict[str, Any]:
    value = base64.b64encode(yaml.safe_dump(config).encode()).decode()
    return {"kubeconfigs": [{"name": "clusterUser", "value": value}]}


def a_kubeconfig(server: str = "https://aks.example:443/", **cluster: Any) -> dict[str, Any]:
    return {"clusters": [{"name": "aks", "cluster": {"server": server, **cluster}}]}


def test_a_kubeconfig_says_where_the_api_is_and_what_signs_it() -> None:
    authority = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()
    config = a_kubeconfig(**{"certificate-authority-data": authority})

    server = parse_credential(a_credential(config), cluster_id=CLUSTER)

    assert server.url == "https://aks.example:443"
    assert server.authority == "-----BEGIN CERTIFICATE-----"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kubeconfigs": None},
        {"kubeconfigs": [{"value": "no base64 at all"}]},
        {"kubeconfigs": [{"value": base64.b64encode(b"a: [").decode()}]},
        a_credential([]),
        a_credential({"clusters": [{"cluster": None}]}),
        a_credential(a_kubeconfig("http://aks.example")),
        a_credential(a_kubeconfig("https://user:secret@aks.example")),
        a_credential(a_kubeconfig(**{"certificate-authority-data": "ü"})),
    ],
)
def test_a_kubeconfig_that_leads_nowhere_is_an_error_that_quotes_nothing(
    body: dict[str, Any],
) -> None:
    with pytest.raises(AzureRequestError, match="kubeconfig") as raised:
        parse_credential(body, cluster_id=CLUSTER)

    assert "secret" not in str(raised.value)
