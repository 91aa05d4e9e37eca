"""What can be changed through an emulated Kubernetes API, and how it is watched; asked by hand."""

import json
import re
import ssl
from http.client import HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from azure_emulator.kubernetes.tables import duration
from tests.azure_emulator.conftest import eventually
from tests.support.kubernetes import (
    CRASHES,
    DEPLOYMENTS,
    GONE,
    Kubernetes,
    a_manifest,
)
from tests.support.wire import Reply

SCALE = f"{DEPLOYMENTS}/weight/scale"
PODS = "/api/v1/namespaces/default/pods"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# What kubectl sends of `auth can-i patch deployments`, in Kubernetes' protobuf.
MAY_PATCH = (
    b"k8s\x00\n\x32\n\x17authorization.k8s.io/v1\x12\x17SelfSubjectAccessReview"
    b"\x12\x29\n\x00\x12\x25\n\x23\n\x07default\x12\x05patch\x1a\x04apps\x2a\x0bdeployments"
)


def send(
    kubernetes: Kubernetes,
    method: str,
    path: str,
    body: Any = b"",
    *,
    kind: str = "application/json",
) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {kubernetes.token}", "Content-Type": kind}
    url = f"{kubernetes.root}{path}"
    return kubernetes.emulator.wire.send(method, url, body=content, headers=headers)


def watching(kubernetes: Kubernetes, target: str) -> tuple[HTTPSConnection, HTTPResponse]:
    address = urlsplit(kubernetes.root)
    trust = ssl.create_default_context(cafile=kubernetes.emulator.ca)
    connection = HTTPSConnection("127.0.0.1", address.port, context=trust, timeout=30)
    headers = {"Authorization": f"Bearer {kubernetes.token}"}
    connection.request("GET", f"{address.path}{target}", headers=headers)
    return connection, connection.getresponse()


def test_a_token_review_tells_whose_a_token_is_and_repeats_none(kubernetes: Kubernetes) -> None:
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    # As kr8s sends it for `whoami`.
    asked = {"kind": "TokenReview", "spec": {"token": kubernetes.token}}

    known = send(kubernetes, "POST", path, asked)
    unknown = send(kubernetes, "POST", path, {"spec": {"token": "another"}}).json()["status"]

    (own,) = {known.json()["status"]["user"]["username"], whoami(kubernetes)}
    assert (known.status, known.json()["status"]["authenticated"]) == (201, True)
    assert own
    assert kubernetes.token.encode() not in known.body
    assert unknown["authenticated"] is False


def whoami(kubernetes: Kubernetes) -> str:
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    name: str = send(kubernetes, "POST", path, {}).json()["status"]["userInfo"]["username"]
    return name


def test_a_scale_is_read_and_changed_beside_its_deployment(kubernetes: Kubernetes) -> None:
    read = kubernetes.get(SCALE).json()

    written = send(kubernetes, "PUT", SCALE, {**read, "spec": {"replicas": 3}})
    again = send(kubernetes, "PUT", SCALE, {**read, "spec": {"replicas": 1}})

    assert (read["kind"], read["spec"]["replicas"], read["status"]["replicas"]) == ("Scale", 2, 2)
    assert (written.status, written.json()["spec"]) == (200, {"replicas": 3})
    assert again.status == 409
    assert kubernetes.deployment()["spec"]["replicas"] == 3


def test_what_is_paused_is_scaled_all_the_same(kubernetes: Kubernetes) -> None:
    kubernetes.patch({"spec": {"paused": True}})

    kubernetes.patch({"spec": {"replicas": 3}})

    eventually(lambda: len(kubernetes.pods()) == 3)
    assert kubernetes.deployment()["spec"]["paused"]


def test_replicas_below_zero_are_invalid(kubernetes: Kubernetes) -> None:
    kind = "application/merge-patch+json"

    replies = [
        send(kubernetes, "PATCH", path, {"spec": {"replicas": -1}}, kind=kind)
        for path in (SCALE, f"{DEPLOYMENTS}/weight")
    ]

    assert [(reply.status, reply.json()["reason"]) for reply in replies] == [(422, "Invalid")] * 2


@pytest.mark.parametrize("kind", ["application/json", "application/yaml"])
def test_a_deployment_is_created_once(kubernetes: Kubernetes, kind: str) -> None:
    first, second = (
        send(kubernetes, "POST", DEPLOYMENTS, a_manifest("height"), kind=kind) for _ in range(2)
    )

    assert (first.status, first.json()["metadata"]["namespace"]) == (201, "default")
    assert (second.status, second.json()["reason"]) == (409, "AlreadyExists")
    eventually(lambda: kubernetes.deployment("height")["status"].get("readyReplicas") == 2)


@pytest.mark.parametrize(
    ("where", "manifest", "status"),
    [
        ("nowhere", a_manifest("height"), 404),
        ("default", {"metadata": {"name": "height"}}, 422),
        (
            "default",
            {**a_manifest("height"), "metadata": {"name": "height", "namespace": "x"}},
            400,
        ),
        ("default", [], 400),
        ("default", a_manifest("Height_1"), 422),
        ("default", a_manifest(""), 422),
    ],
    ids=["no namespace", "no spec", "another namespace", "no object", "wrong name", "no name"],
)
def test_what_cannot_be_created_is_refused(
    kubernetes: Kubernetes, where: str, manifest: Any, status: int
) -> None:
    path = DEPLOYMENTS.replace("/default/", f"/{where}/")

    assert send(kubernetes, "POST", path, manifest).status == status


def test_a_name_is_made_where_only_its_beginning_is_given(kubernetes: Kubernetes) -> None:
    manifest = a_manifest("height")
    manifest["metadata"] = {"generateName": "height-"}

    names = [
        send(kubernetes, "POST", DEPLOYMENTS, manifest).json()["metadata"]["name"] for _ in range(2)
    ]

    assert all(re.fullmatch("height-[a-z0-9]{5}", name) for name in names)
    assert len(set(names)) == 2


def test_a_dry_run_creates_and_deletes_nothing(kubernetes: Kubernetes) -> None:
    made = send(kubernetes, "POST", f"{DEPLOYMENTS}?dryRun=All", a_manifest("height"))
    deleted = send(kubernetes, "DELETE", f"{DEPLOYMENTS}/weight?dryRun=All")

    assert (made.status, deleted.status) == (201, 200)
    assert [each["metadata"]["name"] for each in kubernetes.items(DEPLOYMENTS)] == ["weight"]


def test_nothing_is_deleted_without_what_it_owns(kubernetes: Kubernetes) -> None:
    options = {"propagationPolicy": "Orphan"}

    assert send(kubernetes, "DELETE", f"{DEPLOYMENTS}/weight", options).status == 501


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
@pytest.mark.parametrize("path", [DEPLOYMENTS, PODS])
def test_only_what_is_meant_is_deleted(kubernetes: Kubernetes, path: str, field: str) -> None:
    metadata = kubernetes.items(path)[0]["metadata"]
    target = f"{path}/{metadata['name']}"

    other = send(kubernetes, "DELETE", target, {"preconditions": {field: "1"}})
    dry = send(kubernetes, "DELETE", f"{target}?dryRun=All", {"preconditions": {field: "1"}})
    meant = send(kubernetes, "DELETE", target, {"preconditions": {field: metadata[field]}})

    assert (other.status, other.json()["reason"]) == (409, "Conflict")
    assert metadata[field] in other.json()["message"]
    assert (dry.status, meant.status) == (409, 200)


@pytest.mark.parametrize(
    ("image", "reason"),
    [(GONE, "waiting to start: trying and failing to pull image"), (CRASHES, "")],
)
def test_a_log_is_refused_where_no_container_ever_started(
    kubernetes: Kubernetes, image: str, reason: str
) -> None:
    old = {each["metadata"]["name"] for each in kubernetes.pods()}
    kubernetes.set_image(image)
    eventually(lambda: len(kubernetes.pods()) == 3)
    (name,) = {each["metadata"]["name"] for each in kubernetes.pods()} - old
    eventually(lambda: _waits(kubernetes, name) not in {"ContainerCreating", ""})

    reply = kubernetes.get(f"{PODS}/{name}/log")

    assert reply.status == (400 if reason else 200)
    assert reason in reply.body.decode()


def _waits(kubernetes: Kubernetes, name: str) -> str:
    pod = kubernetes.get(f"{PODS}/{name}").json()
    (status,) = pod["status"].get("containerStatuses") or [{}]
    return str(status.get("state", {}).get("waiting", {}).get("reason", ""))


def test_a_watch_by_phase_tells_when_a_pod_is_no_longer_meant(kubernetes: Kubernetes) -> None:
    target = f"{PODS}?watch=true&fieldSelector=status.phase%3DPending&resourceVersion="
    version = kubernetes.get(PODS).json()["metadata"]["resourceVersion"]
    connection, answer = watching(kubernetes, f"{target}{version}")

    kubernetes.patch({"spec": {"replicas": 3}})
    told = [json.loads(answer.readline()) for _ in range(3)]
    connection.close()

    assert [each["type"] for each in told] == ["ADDED", "MODIFIED", "DELETED"]
    assert told[-1]["object"]["status"]["phase"] == "Running"


def test_a_streaming_list_ends_with_a_bookmark(kubernetes: Kubernetes) -> None:
    target = f"{DEPLOYMENTS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
    connection, answer = watching(kubernetes, f"{target}&resourceVersionMatch=NotOlderThan")

    told = [json.loads(answer.readline()) for _ in range(2)]
    connection.close()

    assert [each["type"] for each in told] == ["ADDED", "BOOKMARK"]
    assert told[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (MAY_PATCH, "application/vnd.kubernetes.protobuf"),
        (
            {"spec": {"resourceAttributes": {"verb": "patch", "resource": "deployments"}}},
            "application/json",
        ),
    ],
    ids=["protobuf", "JSON"],
)
def test_a_caller_may_ask_what_it_may_do(kubernetes: Kubernetes, body: Any, kind: str) -> None:
    reply = send(kubernetes, "POST", REVIEWS, body, kind=kind)

    assert (reply.status, reply.json()["status"]) == (201, {"allowed": True})
    assert reply.json()["spec"]["resourceAttributes"]["verb"] == "patch"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"k8s\x00\xff", b'{"spec": 1}'])
def test_what_is_no_review_is_refused(kubernetes: Kubernetes, body: bytes) -> None:
    kind = "application/vnd.kubernetes.protobuf" if body[:1] == b"k" else "application/json"

    assert send(kubernetes, "POST", REVIEWS, body, kind=kind).status == 400


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_its_health_is_told(kubernetes: Kubernetes, path: str) -> None:
    assert kubernetes.get(path).body == b"ok"


def test_a_protobuf_of_nothing_is_not_understood(kubernetes: Kubernetes) -> None:
    kind = "application/vnd.kubernetes.protobuf"

    reply = send(kubernetes, "POST", DEPLOYMENTS, b"k8s\x00", kind=kind)

    assert (reply.status, reply.json()["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (3600, "60m"),
        (10800, "3h"),
        (11100, "3h5m"),
        (90000, "25h"),
        (3 * 86400 + 7200, "3d2h"),
        (20 * 86400 + 7200, "20d"),
    ],
)
def test_ages_are_written_as_kubectl_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
