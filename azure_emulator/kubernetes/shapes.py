"""Of what types the fields are that clients send: what an API server could not even read.

Source: k8s.io/api apps/v1, core/v1, autoscaling/v1 and authorization/v1, k8s.io/apimachinery meta/v1 of
Kubernetes 1.32. Only what the emulator looks at is named; null says no more than a field left out.
"""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from azure_emulator.kubernetes.errors import bad_request

Texts = dict[str, str | None] | None
Text = str | None
Number = int | None
_Share = Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^\d+%$")] | None


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", alias_generator=to_camel)
    version: ClassVar[str] = "v1"


class _ManagedFields(_Shape):
    manager: str
    operation: str


class _Metadata(_Shape):
    name: Text = None
    generate_name: Text = None
    namespace: Text = None
    uid: Text = None
    resource_version: Text = None
    labels: Texts = None
    annotations: Texts = None
    finalizers: list[str] | None = None
    owner_references: list[dict[str, Any]] | None = None
    managed_fields: list[_ManagedFields] | None = None


class _Port(_Shape):
    name: Text = None
    container_port: Number = None
    host_port: Number = None
    protocol: Text = None


class _Variable(_Shape):
    name: Text = None
    value: Text = None


class _Container(_Shape):
    name: Text = None
    image: Text = None
    image_pull_policy: Text = None
    command: list[str] | None = None
    args: list[str] | None = None
    ports: list[_Port] | None = None
    env: list[_Variable] | None = None


class _PodSpec(_Shape):
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    volumes: list[dict[str, Any]] | None = None


class _Template(_Shape):
    metadata: _Metadata | None = None
    spec: _PodSpec | None = None


class _Selector(_Shape):
    match_labels: Texts = None
    match_expressions: list[dict[str, Any]] | None = None


class _RollingUpdate(_Shape):
    max_surge: _Share = None
    max_unavailable: _Share = None


class _Strategy(_Shape):
    type: Text = None
    rolling_update: _RollingUpdate | None = None


class _Spec(_Shape):
    replicas: Number = None
    min_ready_seconds: Number = None
    progress_deadline_seconds: Number = None
    revision_history_limit: Number = None
    paused: bool | None = None
    selector: _Selector | None = None
    strategy: _Strategy | None = None
    template: _Template | None = None


class Deployment(_Shape):
    version = "apps/v1"
    metadata: _Metadata | None = None
    spec: _Spec | None = None
    status: dict[str, Any] | None = None


class _ScaleSpec(_Shape):
    replicas: Number = None


class Scale(_Shape):
    version = "autoscaling/v1"
    metadata: _Metadata | None = None
    spec: _ScaleSpec | None = None


class _Preconditions(_Shape):
    uid: Text = None
    resource_version: Text = None


class DeleteOptions(_Shape):
    propagation_policy: Text = None
    preconditions: _Preconditions | None = None


class _Review(_Shape):
    token: Text = None
    namespace: Text = None
    resource_attributes: Texts = None
    non_resource_attributes: Texts = None


class Review(_Shape):
    spec: _Review | None = None


def require(given: Any, shape: type[_Shape]) -> dict[str, Any]:
    """Return what fits a shape, without its nulls. Raises KubernetesError 400."""
    try:
        shape.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        kind = shape.__name__
        message = f'{kind} in version "{shape.version}" cannot be handled as a {kind}: json: '
        raise bad_request(f"{message}{place}: {first['msg']}") from None
    found: dict[str, Any] = without_nulls(given)
    return found


def without_nulls(given: Any) -> Any:
    """Return a document without fields that are null."""
    if isinstance(given, dict):
        return {name: without_nulls(value) for name, value in given.items() if value is not None}
    return [without_nulls(each) for each in given] if isinstance(given, list) else given
