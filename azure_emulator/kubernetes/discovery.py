"""What an API server tells of itself: its version, its groups, its resources.

Source: k8s.io/apimachinery pkg/version and pkg/apis/meta/v1 (APIVersions, APIGroupList,
APIResourceList) of 1.32.
"""

from typing import Any

_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "get", "list", "patch", "update", "watch"]
_OPENAPI_V2 = {
    "swagger": "2.0",
    "info": {"title": "Kubernetes", "version": "unversioned"},
    "paths": {},
}


def document(path: tuple[str, ...], *, version: str) -> dict[str, Any] | None:
    """Return the answer to a GET of discovery, None for any other path."""
    documents: dict[tuple[str, ...], dict[str, Any]] = {
        ("version",): _version(version),
        ("api",): {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        ("apis",): {"kind": "APIGroupList", "apiVersion": "v1", "groups": [*_GROUPS.values()]},
        **{
            ("apis", name): {"kind": "APIGroup", "apiVersion": "v1", **group}
            for name, group in _GROUPS.items()
        },
        **{("apis", name, "v1"): _reviews(name, kinds) for name, kinds in _REVIEWS.items()},
        ("openapi", "v2"): _OPENAPI_V2,
        ("openapi", "v3"): {"paths": {}},
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


def _subresource(name: str, kind: str, verbs: list[str], **of: str) -> dict[str, Any]:
    shared = {"name": name, "singularName": "", "namespaced": True, "kind": kind}
    return {**shared, **of, "verbs": verbs}


def _group(name: str) -> dict[str, Any]:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _reviews(group: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    resources = [
        {
            "name": f"{kind.lower()}s",
            "singularName": kind.lower(),
            "namespaced": False,
            "kind": kind,
            "verbs": ["create"],
        }
        for kind in kinds
    ]
    version = f"{group}/v1"
    named = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version}
    return {**named, "resources": resources}


_REVIEWS = {
    "authentication.k8s.io": ("SelfSubjectReview", "TokenReview"),
    "authorization.k8s.io": ("SelfSubjectAccessReview", "SelfSubjectRulesReview"),
}
_GROUPS = {name: _group(name) for name in ("apps", *_REVIEWS)}
_SCALE = {"group": "autoscaling", "version": "v1"}
_APPS_RESOURCES = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": "apps/v1",
    "resources": [
        _resource(
            "deployments", "Deployment", singular="deployment", short=["deploy"], verbs=_WRITE
        ),
        _subresource("deployments/scale", "Scale", ["get", "patch", "update"], **_SCALE),
        _subresource("deployments/status", "Deployment", ["get"]),
        _resource("replicasets", "ReplicaSet", singular="replicaset", short=["rs"], verbs=_READ),
        _subresource("replicasets/scale", "Scale", ["get"], **_SCALE),
        _subresource("replicasets/status", "ReplicaSet", ["get"]),
    ],
}
_CORE_RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        _resource("pods", "Pod", singular="pod", short=["po"], verbs=["delete", *_READ]),
        _subresource("pods/log", "Pod", ["get"]),
        _subresource("pods/status", "Pod", ["get"]),
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
