"""What clients send that no API server could read, and nulls, which say nothing."""

from typing import Any

import pytest

from tests.kubernetes.test_changes_of_objects import SCALE, send
from tests.support.kubernetes import DEPLOYMENTS, Kubernetes, a_manifest

TARGET = f"{DEPLOYMENTS}/weight"
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def changed(place: str, value: Any) -> dict[str, Any]:
    """A manifest with another value at a place, as `spec.replicas`."""
    manifest: Any = a_manifest("weight")
    *path, last = (int(part) if part.isdecimal() else part for part in place.split("."))
    within = manifest
    for part in path:
        within = within[part]
    within[last] = value
    return dict(manifest)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("metadata", 5),
        ("metadata.labels", ["x"]),
        ("metadata.managedFields", [None]),
        ("metadata.resourceVersion", {}),
        ("spec", "x"),
        ("spec.replicas", "2"),
        ("spec.selector.matchLabels", 5),
        ("spec.strategy", True),
        ("spec.strategy", {"rollingUpdate": {"maxSurge": "x%"}}),
        ("spec.template.metadata.labels", "x"),
        ("spec.template.spec.containers", {"x": 1}),
        ("spec.template.spec.containers.0", "x"),
        ("spec.template.spec.containers.0.image", 5),
        ("spec.template.spec.containers.0.env", [5]),
    ],
)
def test_a_field_of_another_type_is_a_bad_request(
    kubernetes: Kubernetes, place: str, value: Any
) -> None:
    before, manifest = kubernetes.deployment(), changed(place, value)
    applying = f"{TARGET}?fieldManager=me&force=true"

    replies = [
        send(kubernetes, "POST", DEPLOYMENTS, manifest),
        send(kubernetes, "PUT", TARGET, manifest),
        send(kubernetes, "PATCH", TARGET, manifest, kind=MERGE),
        send(kubernetes, "PATCH", applying, manifest, kind=APPLY),
    ]

    assert [(reply.status, reply.json()["reason"]) for reply in replies] == [
        (400, "BadRequest")
    ] * len(replies)
    assert kubernetes.deployment() == before


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("PUT", SCALE, {"spec": 5}, "application/json"),
        ("PUT", SCALE, {"metadata": [], "spec": {"replicas": 1}}, "application/json"),
        ("DELETE", TARGET, {"preconditions": "x"}, "application/json"),
        ("DELETE", TARGET, [], "application/json"),
        ("PATCH", TARGET, {"spec": {"$retainKeys": 5}}, STRATEGIC),
        ("PATCH", TARGET, {"spec": {"template": {"spec": {"containers": ["x"]}}}}, STRATEGIC),
        ("PATCH", TARGET, "x", "application/json-patch+json"),
        ("PUT", TARGET, b"[" * 10**5, "application/json"),
        ("PUT", TARGET, b"[" * 10**3, "application/yaml"),
        ("POST", ACCESS, {"spec": {"resourceAttributes": ["x"]}}, "application/json"),
    ],
)
def test_so_is_one_of_what_is_asked_beside(
    kubernetes: Kubernetes, method: str, path: str, body: Any, kind: str
) -> None:
    reply = send(kubernetes, method, path, body, kind=kind)

    assert (reply.status, reply.json()["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    "strategy",
    [{"type": "Sudden"}, {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}],
)
def test_a_rollout_that_could_never_begin_is_invalid(
    kubernetes: Kubernetes, strategy: dict[str, Any]
) -> None:
    reply = send(kubernetes, "POST", DEPLOYMENTS, a_manifest("height", strategy=strategy))

    assert (reply.status, reply.json()["reason"]) == (422, "Invalid")


def test_what_is_null_is_as_if_it_were_left_out(kubernetes: Kubernetes) -> None:
    manifest = a_manifest("height", strategy=None, minReadySeconds=None)
    manifest["metadata"] |= {"annotations": None, "resourceVersion": None}
    manifest["spec"]["template"]["spec"]["containers"][0] |= {"env": None, "resources": None}

    made = send(kubernetes, "POST", DEPLOYMENTS, manifest)

    assert made.status == 201
    assert made.json()["spec"]["strategy"]["type"] == "RollingUpdate"
    assert "minReadySeconds" not in made.json()["spec"]
    assert "env" not in made.json()["spec"]["template"]["spec"]["containers"][0]
