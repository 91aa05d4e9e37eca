"""Bodies of requests: JSON, YAML, and what kubectl sends in Kubernetes' protobuf.

Source: kubernetes.io/docs/reference/using-api/api-concepts (alternate representations), 1.32; the
numbers of a review's fields by k8s.io/api authorization/v1 generated.proto.
"""

import json
from typing import Any

import yaml

from azure_emulator.kubernetes import protobuf
from azure_emulator.kubernetes.errors import KubernetesError, bad_request
from azure_emulator.kubernetes.protobuf import Fields, fields

PROTOBUF = protobuf.MEDIA_TYPE
_YAML = frozenset({"application/yaml", "application/apply-patch+yaml"})
_RESOURCE = ("", "namespace", "verb", "group", "version", "resource", "subresource", "name")


def parsed(body: bytes, content_type: str = "") -> Any:
    """Read JSON, YAML, or a Deployment in protobuf. Raises KubernetesError 400, 415."""
    kind = content_type.partition(";")[0].strip()
    if kind == PROTOBUF:
        return _deployment(body)
    try:
        return yaml.safe_load(body) if kind in _YAML else json.loads(body)
    except (RecursionError, ValueError, yaml.YAMLError):
        raise bad_request("the body of the request is no JSON") from None


def _deployment(body: bytes) -> Any:
    try:
        return protobuf.deployment(body)
    except (IndexError, KeyError, TypeError, ValueError):
        message = (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml"
        )
        raise KubernetesError(415, "UnsupportedMediaType", message) from None


def review(body: bytes, content_type: str) -> Any:
    """Read a review of the caller itself. Raises KubernetesError 400."""
    if content_type.partition(";")[0].strip() != PROTOBUF:
        return parsed(body, content_type)
    try:
        kind, content = protobuf.enveloped(body)
        spec = fields(fields(content).get(2, b""))
        return {"kind": kind, "spec": _spec(kind, spec)}
    except (IndexError, KeyError, ValueError):
        raise bad_request("the body of the request is no review") from None


def _spec(kind: str, spec: Fields) -> dict[str, Any]:
    if kind == "SelfSubjectRulesReview":
        return {"namespace": spec.get(1, b"").decode()}
    if 2 in spec:  # noqa: PLR2004  # nonResourceAttributes
        path, verb = (fields(spec[2]).get(number, b"").decode() for number in (1, 2))
        return {"nonResourceAttributes": {"path": path, "verb": verb}}
    if 1 not in spec:
        return {}
    asked = fields(spec[1])
    return {
        "resourceAttributes": {
            name: asked[number].decode() for number, name in enumerate(_RESOURCE) if number in asked
        }
    }
