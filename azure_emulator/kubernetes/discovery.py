"""What an API server tells of itself: its version, its groups, its resources.

Source: k8s.io/apimachinery pkg/version and pkg/apis/meta/v1 (APIVersions, APIGroupList,
APIResourceList) of 1.32.
"""

from typing import Any

_READ = ["get", "list", "watch"]
_WRITE = ["get", "list", "patch", "update", "watch"]


def document(path: tuple[str, ...], *, version: str) -> dict[str, Any] | None:
    """Return the answer to a GET of discovery, None for any other path."""
    documents = {
        ("version",): _version(version),
        ("api",): {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        ("apis",): {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_APPS]},
        ("apis", "apps"): {"kind": "APIGroup", "apiVersion": "v1", **_APPS},
        ("api", "v1"): _CORE_RESOURCES,
        ("apis", "apps", "v1"): _APPS_RESOURCES,
    }
    return documents.get(path)


def _version(text: str) -> dict[str, Any]:
    major, minor, _ = text.split(".", 2)
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{text}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def _resource(  # noqa: PLR0913  # the fields of an APIResource
    name: str,
    kind: str,
    *,
    singular: str,
    short: list[str],
    verbs: list[str],
    namespaced: bool = True,
    categories: tuple[str, ...] = ("all",),
) -> dict[str, Any]:
    return {
        "name": name,
        "singularName": singular,
        "namespaced": namespaced,
        "kind": kind,
        "verbs": verbs,
        "shortNames": short,
        "categories": list(categories),
    }


_APPS = {
    "name": "apps",
    "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
    "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
}
_APPS_RESOURCES = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": "apps/v1",
    "resources": [
        _resource(
            "deployments", "Deployment", singular="deployment", short=["deploy"], verbs=_WRITE
        ),
        _resource("replicasets", "ReplicaSet", singular="replicaset", short=["rs"], verbs=_READ),
    ],
}
_CORE_RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        _resource("pods", "Pod", singular="pod", short=["po"], verbs=_READ),
        {
            "name": "pods/log",
            "singularName": "",
            "namespaced": True,
            "kind": "Pod",
            "verbs": ["get"],
        },
        _resource("events", "Event", singular="event", short=["ev"], verbs=_READ, categories=()),
        _resource(
            "namespaces",
            "Namespace",
            singular="namespace",
            short=["ns"],
            verbs=_READ,
            namespaced=False,
            categories=(),
        ),
    ],
}
