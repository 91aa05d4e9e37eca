"""What a caller asks an API server about itself: who it is, and what it may do.

Source: k8s.io/api authorization/v1 and authentication/v1 of 1.32 (SelfSubjectAccessReview,
SelfSubjectRulesReview, SelfSubjectReview, TokenReview).
"""

from collections.abc import Mapping
from typing import Any

from azure_emulator.entra import Directory, Principal, TokenError
from azure_emulator.kubernetes import shapes
from azure_emulator.kubernetes.access import (
    SERVER_APPLICATION,
    Asked,
    allows,
    require,
    rules_of,
)
from azure_emulator.kubernetes.errors import KubernetesError
from azure_emulator.kubernetes_seed import ManagedClusterSeed

_AUTHORIZATION = ("apis", "authorization.k8s.io", "v1")
_AUTHENTICATION = ("apis", "authentication.k8s.io", "v1")
_PATHS: Mapping[tuple[str, ...], str] = {
    (*_AUTHORIZATION, "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    (*_AUTHORIZATION, "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    (*_AUTHENTICATION, "selfsubjectreviews"): "SelfSubjectReview",
}
_TOKEN_REVIEWS = (*_AUTHENTICATION, "tokenreviews")
_OPEN_PATHS = ("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/readyz", "/version")
Object = dict[str, Any]


def is_any(path: tuple[str, ...]) -> bool:
    return path in _PATHS or is_token_review(path)


def is_token_review(path: tuple[str, ...]) -> bool:
    return path == _TOKEN_REVIEWS


def token_review(
    seed: ManagedClusterSeed, caller: Principal, *, asked: Any, directory: Directory
) -> Object:
    """Return whose a token is; the token itself is not repeated. Raises KubernetesError 400, 403."""
    require(seed, caller, Asked(verb="create", plural="tokenreviews"))
    spec = shapes.require(asked, shapes.Review).get("spec", {})
    try:
        owner = directory.verify(
            str(spec.get("token", "")), audiences=frozenset({SERVER_APPLICATION})
        )
    except TokenError:
        status: Object = {"authenticated": False, "user": {}, "error": "invalid bearer token"}
    else:
        status = {"authenticated": True, "user": _user(owner)}
    named = {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1"}
    return {**named, "metadata": {"creationTimestamp": None}, "spec": {}, "status": status}


def review(
    seed: ManagedClusterSeed, caller: Principal, *, path: tuple[str, ...], asked: Any
) -> Object:
    """Return the review with its answer. Raises KubernetesError 400."""
    kind = _PATHS[path]
    spec: Object = shapes.require(asked, shapes.Review).get("spec", {})
    status = {
        "SelfSubjectAccessReview": _access,
        "SelfSubjectRulesReview": _rules,
        "SelfSubjectReview": _self,
    }[kind](seed, caller, spec)
    version = "/".join(path[1:3])
    metadata = {"creationTimestamp": None}
    return {
        "kind": kind,
        "apiVersion": version,
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def _access(seed: ManagedClusterSeed, caller: Principal, spec: Object) -> Object:
    wanted: Mapping[str, str] | None = spec.get("resourceAttributes")
    if wanted is None:
        return {"allowed": (spec.get("nonResourceAttributes") or {}).get("verb") == "get"}
    asked = Asked(
        verb=wanted.get("verb", ""),
        plural=wanted.get("resource", ""),
        namespace=wanted.get("namespace", ""),
        name=wanted.get("name", ""),
        subresource=wanted.get("subresource", ""),
    )
    return {"allowed": allows(seed, caller, asked)}


def _rules(seed: ManagedClusterSeed, caller: Principal, spec: Object) -> Object:
    namespace = spec.get("namespace")
    if not namespace:
        raise KubernetesError(400, "BadRequest", "no namespace on request")
    rules = rules_of(seed, caller)
    return {
        "resourceRules": [
            {"verbs": [*rule.verbs], "apiGroups": ["*"], "resources": [*rule.resources]}
            for rule in rules
            if {"*", namespace} & {*rule.namespaces}
        ],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": [*_OPEN_PATHS]}],
        "incomplete": False,
    }


def _self(_seed: ManagedClusterSeed, caller: Principal, _spec: Object) -> Object:
    return {"userInfo": _user(caller)}


def _user(principal: Principal) -> Object:
    return {"username": principal.object_id, "groups": ["system:authenticated"]}
