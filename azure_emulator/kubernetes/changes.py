"""What requests change: Deployments are created, patched, replaced, scaled, deleted; pods are deleted.

Source: kubernetes.io/docs/reference/using-api/api-concepts, 1.32.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from azure_emulator.kubernetes import shapes
from azure_emulator.kubernetes.access import Asked
from azure_emulator.kubernetes.apply import require_configuration
from azure_emulator.kubernetes.bodies import PROTOBUF, parsed
from azure_emulator.kubernetes.cluster import Cluster
from azure_emulator.kubernetes.errors import GROUPS, KubernetesError, bad_request, conflict
from azure_emulator.kubernetes.patches import patched
from azure_emulator.kubernetes.scale import scale_of, scaled
from azure_emulator.kubernetes.store import Object, generated_name


def create(request: Request, cluster: Cluster, asked: Asked, body: bytes) -> Response:
    """Create a Deployment. Raises KubernetesError."""
    given = parsed(body, request.headers.get("content-type", ""))
    wanted = shapes.require(given, shapes.Deployment)
    about = wanted.get("metadata", {})
    metadata = {"namespace": asked.namespace, **_name(about), **about}
    if metadata["namespace"] != asked.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if metadata.pop("resourceVersion", ""):
        raise bad_request("resourceVersion should not be set on objects to be created")
    made = cluster.create(
        {**wanted, "metadata": metadata}, manager=_manager(request), dry_run=_is_dry(request)
    )
    return JSONResponse(made, status_code=201)


def _name(metadata: Object) -> Object:
    """A name that begins as `generateName` says, where there is none."""
    start = str(metadata.get("generateName") or "")
    return {"name": generated_name(start)} if start else {}


def apply(
    request: Request, cluster: Cluster, asked: Asked, found: Object | None, body: bytes
) -> Response:
    """Apply a configuration to what was found, or make it. Raises KubernetesError."""
    given = parsed(body, request.headers.get("content-type", ""))
    manager = request.query_params.get("fieldManager", "")
    wanted = shapes.require(require_configuration(given, manager), shapes.Deployment)
    force = request.query_params.get("force", "").lower() in {"1", "true"}
    stored = cluster.apply(
        found,
        {**wanted, "metadata": {**_named(asked), **wanted.get("metadata", {})}},
        manager=manager,
        force=force,
        dry_run=_is_dry(request),
    )
    return JSONResponse(stored, status_code=201 if found is None else 200)


def _named(asked: Asked) -> Object:
    return {"name": asked.name, "namespace": asked.namespace}


def change(
    request: Request, cluster: Cluster, asked: Asked, found: Object, body: bytes
) -> Response:
    """Patch, replace or delete what was found. Raises KubernetesError."""
    if asked.verb == "delete":
        return _delete(request, cluster, asked, found, body)
    shown = scale_of(found) if asked.subresource == "scale" else found
    kind = request.headers.get("content-type", "")
    wanted = parsed(body, kind)
    if asked.verb == "patch":
        wanted = patched(shown, wanted, content_type=kind)
    if asked.subresource == "scale":
        whole = scaled(found, shapes.require(wanted, shapes.Scale))
    else:
        whole = shapes.require(wanted, shapes.Deployment)
    manager, dry_run = _manager(request), _is_dry(request)
    stored = cluster.update(found, whole, manager=manager, dry_run=dry_run)
    return JSONResponse(scale_of(stored) if asked.subresource == "scale" else stored)


def _delete(
    request: Request, cluster: Cluster, asked: Asked, found: Object, body: bytes
) -> Response:
    # Typed clients send their options in protobuf; those of kubectl say no more than the default.
    kind = request.headers.get("content-type", "")
    known = parsed(body, kind) if body and not kind.startswith(PROTOBUF) else {}
    options = shapes.require(known, shapes.DeleteOptions)
    policy = options.get("propagationPolicy")
    if "Orphan" in {policy, request.query_params.get("propagationPolicy")}:
        message = "The emulator deletes nothing without what it owns"
        raise KubernetesError(501, "NotImplemented", message)
    _require(options.get("preconditions", {}), asked, found)
    dry_run = _is_dry(request) or bool(options.get("dryRun"))
    if asked.plural == "pods":
        if not dry_run:
            cluster.delete_pod(found)
        return JSONResponse(found)
    if not dry_run:
        cluster.delete(found)
    return JSONResponse(_deleted(asked, found))


def _require(preconditions: Object, asked: Asked, found: Object) -> None:
    """Raise KubernetesError 409 where somebody means another object, or an older form of it."""
    for field, name, how in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        wanted, known = preconditions.get(field), found["metadata"][field]
        if wanted not in {None, known}:
            raise conflict(
                asked.plural,
                asked.name,
                f"the {name} in the precondition ({wanted}) does not match the {name} in record "
                f"({known}). The object might have been {how}",
            )


def _deleted(asked: Asked, found: Object) -> Object:
    details = {
        "name": asked.name,
        "group": GROUPS[asked.plural],
        "kind": asked.plural,
        "uid": found["metadata"]["uid"],
    }
    named = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
    return {**named, "status": "Success", "details": details}


def _manager(request: Request) -> str:
    agent = request.headers.get("user-agent", "unknown").partition("/")[0]
    return request.query_params.get("fieldManager", agent)


def _is_dry(request: Request) -> bool:
    return "dryRun" in request.query_params
