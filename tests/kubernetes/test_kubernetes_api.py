"""The emulated AKS and its Kubernetes API, asked by hand."""

import json
import ssl
from http.client import HTTPSConnection
from urllib.parse import urlsplit

import pytest

from azure_emulator.kubernetes.patches import merge, strategic
from tests.azure_emulator.conftest import eventually
from tests.support.emulator import EmulatorError, EmulatorProcess
from tests.support.kubernetes import (
    BETTER,
    CLUSTER,
    DEPLOYMENTS,
    GOOD,
    NEVER_READY,
    REPOSITORY,
    WRONG,
    Kubernetes,
    a_cluster,
    a_manifest,
    answering,
    connect,
)

DIGEST = f"sha256:{'a' * 64}"


def test_the_kubeconfig_names_a_plugin_and_holds_no_credential(kubernetes: Kubernetes) -> None:
    (user,) = kubernetes.kubeconfig["users"]

    assert user["user"]["exec"]["command"] == "kubelogin"
    assert list(user["user"]) == ["exec"]


def test_only_a_token_for_the_server_application_is_taken(kubernetes: Kubernetes) -> None:
    emulator = kubernetes.emulator
    url = f"{kubernetes.root}{DEPLOYMENTS}"

    replies = [emulator.wire.get(url, token=token) for token in ("", emulator.arm_token(), "x")]

    assert [(reply.status, reply.json()["reason"]) for reply in replies] == [
        (401, "Unauthorized")
    ] * 3
    assert kubernetes.get(DEPLOYMENTS).status == 200


def test_a_cluster_is_listed_and_read(kubernetes: Kubernetes) -> None:
    emulator, token = kubernetes.emulator, kubernetes.emulator.arm_token()
    listed = emulator.arm("GET", CLUSTER.rpartition("/")[0], token=token).json()["value"]

    read = emulator.arm("GET", CLUSTER, token=token).json()

    assert listed == [read]
    assert read["properties"]["aadProfile"]["managed"]


def test_a_private_cluster_has_no_address_that_anybody_finds(emulator: EmulatorProcess) -> None:
    emulator.seed(a_cluster(private=True))

    assert ".privatelink." in connect(emulator).root


def test_what_somebody_asks_of_it_counts_a_generation_and_nothing_else_does(
    kubernetes: Kubernetes,
) -> None:
    labelled = kubernetes.patch({"metadata": {"labels": {"team": "growth"}}}).json()
    changed = kubernetes.set_image(BETTER).json()
    again = kubernetes.set_image(BETTER).json()
    eventually(lambda: rolled_out(kubernetes))
    rolled = kubernetes.deployment()
    annotated = kubernetes.patch({"metadata": {"annotations": {"team": "growth"}}}).json()

    assert labelled["metadata"]["generation"] == 1
    assert changed["metadata"]["generation"] == again["metadata"]["generation"] == 2
    assert rolled["metadata"]["generation"] == 2
    assert rolled["metadata"]["resourceVersion"] != again["metadata"]["resourceVersion"]
    assert annotated["metadata"]["generation"] == 3
    eventually(lambda: kubernetes.deployment()["status"]["observedGeneration"] == 3)


def rolled_out(kubernetes: Kubernetes) -> bool:
    status = kubernetes.deployment()["status"]
    return bool(status.get("updatedReplicas") == status.get("availableReplicas") == 2)


def test_a_dry_run_answers_what_would_be_and_changes_nothing(kubernetes: Kubernetes) -> None:
    before = kubernetes.deployment()

    reply = kubernetes.patch({"spec": {"replicas": 3}}, query="?dryRun=All")

    assert reply.json()["spec"]["replicas"] == 3
    assert kubernetes.deployment() == before


def test_what_never_gets_ready_takes_nobody_away(kubernetes: Kubernetes) -> None:
    kubernetes.set_image(NEVER_READY)

    eventually(lambda: len(kubernetes.pods()) == 3)
    status = kubernetes.deployment()["status"]
    assert (status["updatedReplicas"], status["availableReplicas"]) == (1, 2)
    assert kubernetes.weight_of_138().json() == {"response": [161.8533]}


def test_a_pod_shows_the_digest_that_it_runs_although_the_tag_moved(
    kubernetes: Kubernetes,
) -> None:
    emulator = kubernetes.emulator
    before = {p["status"]["containerStatuses"][0]["imageID"] for p in kubernetes.pods()}

    emulator.wire.send_json(
        "POST", "/_emulator/images", {"reference": GOOD, "digest": DIGEST, **answering(66.2)}
    )
    unmoved = {p["status"]["containerStatuses"][0]["imageID"] for p in kubernetes.pods()}
    kubernetes.patch({"spec": {"template": {"metadata": {"annotations": {"restarted": "1"}}}}})
    eventually(lambda: kubernetes.weight_of_138().json() == {"response": [66.2]})

    assert unmoved == before
    eventually(
        lambda: (
            {p["status"]["containerStatuses"][0]["imageID"] for p in kubernetes.pods()}
            == {f"{REPOSITORY}@{DIGEST}"}
        )
    )
    kubernetes.set_image(before.pop())
    eventually(lambda: kubernetes.weight_of_138().json() == {"response": [161.8533]})


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("json-patch", [{"op": "replace", "path": "/spec/replicas", "value": 3}]),
        ("merge-patch", {"spec": {"replicas": 3}}),
        ("strategic-merge-patch", {"spec": {"replicas": 3}}),
    ],
)
def test_each_kind_of_patch_changes_what_it_names(
    kubernetes: Kubernetes, kind: str, change: object
) -> None:
    reply = kubernetes.patch(change, kind=kind)

    assert (reply.status, reply.json()["spec"]["replicas"]) == (200, 3)
    eventually(lambda: len(kubernetes.pods()) == 3)


@pytest.mark.parametrize(
    ("kind", "change", "status", "reason"),
    [
        ("apply-patch", {}, 415, "UnsupportedMediaType"),
        ("merge-patch", [], 400, "BadRequest"),
        ("json-patch", [{"op": "remove", "path": "/spec/nothing"}], 422, "Invalid"),
        ("json-patch", [{"op": "test", "path": "/spec/replicas", "value": 5}], 422, "Invalid"),
        ("merge-patch", {"spec": {"selector": {"matchLabels": {"a": "b"}}}}, 422, "Invalid"),
        ("merge-patch", {"metadata": {"resourceVersion": "1"}}, 409, "Conflict"),
        ("merge-patch", {"spec": {"template": {"spec": {"containers": []}}}}, 422, "Invalid"),
    ],
)
def test_a_patch_that_cannot_be_is_refused(
    kubernetes: Kubernetes, kind: str, change: object, status: int, reason: str
) -> None:
    before = kubernetes.deployment()

    reply = kubernetes.patch(change, kind=kind)

    assert (reply.status, reply.json()["reason"]) == (status, reason)
    assert kubernetes.deployment() == before


def test_a_strategic_patch_merges_containers_by_name() -> None:
    current = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "env": [{"name": "X"}]}]}
    patch = {
        "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
        "containers": [
            {"name": "a", "image": "2"},
            {"name": "b", "env": [{"$patch": "delete", "name": "X"}]},
        ],
    }

    assert strategic(current, patch) == {
        "containers": [{"name": "b", "env": []}, {"name": "a", "image": "2"}]
    }


def test_a_merge_patch_replaces_lists_and_null_deletes() -> None:
    assert merge({"a": [1, 2], "b": 1, "c": {"d": 1}}, {"a": [3], "b": None, "c": {"e": 2}}) == {
        "a": [3],
        "c": {"d": 1, "e": 2},
    }


def test_a_watch_tells_what_happens(kubernetes: Kubernetes) -> None:
    address = urlsplit(kubernetes.root)
    trust = ssl.create_default_context(cafile=kubernetes.emulator.ca)
    connection = HTTPSConnection("127.0.0.1", address.port, context=trust, timeout=30)
    path = f"{address.path}{DEPLOYMENTS}?watch=true&fieldSelector=metadata.name%3Dweight"
    connection.request("GET", path, headers={"Authorization": f"Bearer {kubernetes.token}"})
    answer = connection.getresponse()
    first = json.loads(answer.readline())

    kubernetes.set_image(WRONG)
    generations = {json.loads(answer.readline())["object"]["metadata"]["generation"]}
    connection.close()

    assert first["type"] == "ADDED"
    assert generations == {2}


def test_recreate_ends_all_before_it_begins_anew(emulator: EmulatorProcess) -> None:
    emulator.seed(a_cluster(a_manifest(strategy={"type": "Recreate"})))
    kubernetes = connect(emulator)

    kubernetes.set_image(WRONG)

    assert kubernetes.weight_of_138().status == 503
    eventually(lambda: kubernetes.weight_of_138().status == 200)


def test_the_log_of_a_pod_is_what_its_image_prints(kubernetes: Kubernetes) -> None:
    name = kubernetes.pods()[0]["metadata"]["name"]

    reply = kubernetes.get(f"/api/v1/namespaces/default/pods/{name}/log")

    assert reply.body == b"Worker booted.\n"


def test_what_is_not_emulated_is_told(kubernetes: Kubernetes) -> None:
    replies = [
        kubernetes.get(p) for p in ("/apis/batch/v1/jobs", "/api/v1/secrets", f"{DEPLOYMENTS}/x")
    ]

    assert [reply.status for reply in replies] == [404, 501, 404]


@pytest.mark.parametrize("path", ["seed", "images"])
def test_no_request_names_a_program(emulator: EmulatorProcess, path: str) -> None:
    image = {"command": ["/bin/false"]}
    document = (
        {"images": {GOOD: image}, "version": 1} if path == "seed" else {"reference": GOOD, **image}
    )

    reply = emulator.wire.send_json("POST", f"/_emulator/{path}", document)

    assert reply.status == 400
    assert "command" in reply.json()["error"]["message"]


def test_a_manifest_that_no_cluster_would_take_is_refused(emulator: EmulatorProcess) -> None:
    manifest = a_manifest()
    manifest["spec"]["selector"] = {"matchLabels": {"app": "other"}}

    with pytest.raises(EmulatorError, match="selector"):
        emulator.seed(a_cluster(manifest))
