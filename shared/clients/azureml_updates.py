"""What runs in a thread of azureml-core's to update a web service: a look, an update, the logs.

Sunset, as the SDK is (support ended on 30 June 2026). Nothing here waits: `wait_for_deployment` takes
minutes, so an operation is looked at once. Source: azureml-core 1.61, Webservice and its children.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.clients.azureml_sdk import Named
from shared.clients.lenient_json import as_object, text, texts
from shared.errors import AzureRequestError

_LOG_LINES: Final = 20


@dataclass(frozen=True, kw_only=True)
class LiveService:
    """A web service as it is. It was made of an `image`, or else of `models` and an `environment`.

    The environment is `<name>:<version>`, empty where Azure names none.
    `operation`: the state of its last update (NotStarted, Running, Succeeded, Failed, Cancelled,
    TimedOut), empty where Azure names none; `code` and `message` say why that failed.
    """

    runs_on: str
    state: str
    image: str = ""
    digest: str | None = None
    models: tuple[str, ...] = ()
    environment: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    operation: str = ""
    code: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Update:
    """What is to be: an image, models, or neither; and properties that are added."""

    properties: Mapping[str, str]
    image: str = ""
    models: tuple[str, ...] = ()

    def __call__(self, workspace: Any, named: Named) -> None:
        """Send it with Webservice.update: accepted, not yet done."""
        from azureml.core.webservice import Webservice

        service = Webservice(workspace, named.service)
        wanted: dict[str, Any] = {"properties": dict(self.properties)}
        if self.image:
            wanted["image"] = _Reference(id=self.image)
        if self.models:
            wanted["models"] = [_Reference(id=each) for each in self.models]
            request = as_object(_payload(workspace, named).get("environmentImageRequest"))
            wanted["inference_config"] = _SameScoring(
                environment=service.environment, request=request
            )
        service.update(**wanted)


@dataclass(frozen=True, kw_only=True)
class _Reference:
    """All that an update reads of an Image or a Model: looking them up would tell it no more."""

    id: str


@dataclass(frozen=True, kw_only=True)
class _SameScoring:
    """Stands for an InferenceConfig: other models, all else as the service was made.

    A real one would upload the entry script again, which nobody has here.
    """

    environment: Any
    request: Mapping[str, Any] = field(repr=False)

    def _build_environment_image_request(
        self, _workspace: Any, model_ids: Sequence[str]
    ) -> dict[str, Any]:
        return {**self.request, "modelIds": list(model_ids)}


def look(workspace: Any, named: Named) -> LiveService:
    """Read the service, and its last operation once."""
    found = _payload(workspace, named)
    request = as_object(found.get("environmentImageRequest"))
    listed = request.get("modelIds")
    operation, error = _operation(workspace, named, text(found, "operationId"))
    return LiveService(
        runs_on=text(found, "computeType"),
        state=text(found, "state"),
        image=text(found, "imageId") if not request else "",
        digest=text(found, "imageDigest") or None,
        models=tuple(str(each) for each in listed) if isinstance(listed, list) else (),
        environment=_named(as_object(request.get("environment"))),
        properties=texts(found.get("properties")),
        operation=operation,
        code=text(error, "code"),
        message=text(error, "message"),
    )


def _named(environment: Mapping[str, Any]) -> str:
    name, version = text(environment, "name"), text(environment, "version")
    return f"{name}:{version}" if name and version else ""


def tail_of_logs(workspace: Any, named: Named) -> Sequence[str]:
    """Read the last lines of the container's logs, as they are."""
    from azureml.core.webservice import Webservice

    told = Webservice(workspace, named.service).get_logs(num_lines=_LOG_LINES)
    return str(told or "").splitlines()


def _payload(workspace: Any, named: Named) -> Mapping[str, Any]:
    """GET the service: what the SDK's object leaves out is what tells how an update goes."""
    from azureml.core.webservice import Webservice

    found = Webservice._get(workspace, named.service)  # noqa: SLF001  # no public name has the whole
    if not isinstance(found, dict):
        raise AzureRequestError(f"{named.id} is not there", status=404)
    return found


def _operation(workspace: Any, named: Named, operation_id: str) -> tuple[str, Mapping[str, Any]]:
    """Return the state and the error of an operation; the SDK itself would poll it to its end."""
    from azureml.core.webservice import Webservice

    if not operation_id:
        return "", {}
    service = Webservice(workspace, named.service)
    root = service._mms_endpoint.rpartition("/services/")[0]  # noqa: SLF001  # likewise
    service._operation_endpoint = f"{root}/operations/{operation_id}"  # noqa: SLF001  # likewise
    state, error, _ = service._get_operation_state()  # noqa: SLF001  # likewise
    return str(state or ""), as_object(error)
