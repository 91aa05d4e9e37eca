"""Refusals of a Kubernetes API, as objects of kind Status.

Source: k8s.io/apimachinery pkg/apis/meta/v1 (Status) and pkg/api/errors of 1.32.
"""

from starlette.responses import JSONResponse, Response

# Of a patch that does not fit (pkg/endpoints/handlers/patch.go of the API server).
REJECTED = "the server rejected our request due to an error in our request"
GROUPS = {"deployments": "apps", "replicasets": "apps", "pods": "", "namespaces": "", "events": ""}


class KubernetesError(Exception):
    """An answer that is a Status; `reason` is Kubernetes' own word."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.message = message

    def response(self) -> Response:
        document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.status,
        }
        return JSONResponse(document, status_code=self.status)


def qualified(plural: str) -> str:
    """Return a resource as messages name it: `deployments.apps`."""
    group = GROUPS.get(plural, "")
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, name: str) -> KubernetesError:
    return KubernetesError(404, "NotFound", f'{qualified(plural)} "{name}" not found')


_MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


def conflict(plural: str, name: str, why: str = _MODIFIED) -> KubernetesError:
    message = f'Operation cannot be fulfilled on {qualified(plural)} "{name}": {why}'
    return KubernetesError(409, "Conflict", message)


def already_exists(plural: str, name: str) -> KubernetesError:
    return KubernetesError(409, "AlreadyExists", f'{qualified(plural)} "{name}" already exists')


def invalid(plural: str, name: str, problem: str) -> KubernetesError:
    return KubernetesError(422, "Invalid", f'{qualified(plural)} "{name}" is invalid: {problem}')


def bad_request(message: str) -> KubernetesError:
    return KubernetesError(400, "BadRequest", message)
