"""Bodies of requests: JSON, YAML, and what kubectl sends of reviews in Kubernetes' protobuf.

Source: kubernetes.io/docs/reference/using-api/api-concepts (alternate representations), 1.32; the
numbers of the fields by k8s.io/api authorization/v1 generated.proto; protobuf.dev's wire format.
"""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from azure_emulator.kubernetes.errors import KubernetesError, bad_request

PROTOBUF = "application/vnd.kubernetes.protobuf"
_YAML = frozenset({"application/yaml", "application/apply-patch+yaml"})
_MAGIC = b"k8s\x00"
_VARINT, _LENGTH = 0, 2
_RESOURCE = ("", "namespace", "verb", "group", "version", "resource", "subresource", "name")
Fields = Mapping[int, bytes]


def parsed(body: bytes, content_type: str = "") -> Any:
    """Read JSON or YAML. Raises KubernetesError 400, 415."""
    kind = content_type.partition(";")[0].strip()
    if kind == PROTOBUF:
        message = (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml"
        )
        raise KubernetesError(415, "UnsupportedMediaType", message)
    try:
        return yaml.safe_load(body) if kind in _YAML else json.loads(body)
    except (ValueError, yaml.YAMLError):
        raise bad_request("the body of the request is no JSON") from None


def review(body: bytes, content_type: str) -> Any:
    """Read a review of the caller itself. Raises KubernetesError 400."""
    if content_type.partition(";")[0].strip() != PROTOBUF:
        return parsed(body, content_type)
    try:
        envelope = _fields(body.removeprefix(_MAGIC))
        spec = _fields(_fields(envelope.get(2, b"")).get(2, b""))
        kind = _fields(envelope[1])[2].decode()
        return {"kind": kind, "spec": _spec(kind, spec)}
    except (IndexError, KeyError, ValueError):
        raise bad_request("the body of the request is no review") from None


def _spec(kind: str, spec: Fields) -> dict[str, Any]:
    if kind == "SelfSubjectRulesReview":
        return {"namespace": spec.get(1, b"").decode()}
    if 2 in spec:  # noqa: PLR2004  # nonResourceAttributes
        path, verb = (_fields(spec[2]).get(number, b"").decode() for number in (1, 2))
        return {"nonResourceAttributes": {"path": path, "verb": verb}}
    if 1 not in spec:
        return {}
    asked = _fields(spec[1])
    return {
        "resourceAttributes": {
            name: asked[number].decode() for number, name in enumerate(_RESOURCE) if number in asked
        }
    }


def _fields(message: bytes) -> Fields:
    """The last value of each field of bytes. Raises IndexError, ValueError."""
    found: dict[int, bytes] = {}
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        value, place = _varint(message, place)
        if tag & 7 == _LENGTH:
            found[tag >> 3] = message[place : place + value]
            place += value
        elif tag & 7 != _VARINT:
            raise ValueError(tag)
    return found


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004  # the last one
            return value, place
