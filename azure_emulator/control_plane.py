"""What tests ask and tell the emulator itself, under `/_emulator/`. JSON, no authentication."""

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azure_emulator import service_principal
from azure_emulator.arm.instance_properties import last_operation
from azure_emulator.clock import zulu
from azure_emulator.emulator import Emulator
from azure_emulator.estate.compute import Compute
from azure_emulator.faults import Fault
from azure_emulator.kubernetes.described import described
from azure_emulator.kubernetes_seed import PushedImage
from azure_emulator.scored_state import scored_state
from azure_emulator.seed import Seed
from azure_emulator.services import unknown_route

PREFIX = "/_emulator"
_SEQUENCE_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
# Nobody but whoever starts the emulator says which programs it runs.
_NO_PROGRAMS = "command: only a seed file given at the start may name programs"
Document = TypeVar("Document", bound=BaseModel)


def control_plane(emulator: Emulator) -> Starlette:
    control = _ControlPlane(emulator)
    routes = [
        Route(f"{PREFIX}/state", control.state, methods=["GET"]),
        Route(f"{PREFIX}/requests", control.requests, methods=["GET"]),
        Route(f"{PREFIX}/faults", control.list_faults, methods=["GET"]),
        Route(f"{PREFIX}/faults", control.add_fault, methods=["POST"]),
        Route(f"{PREFIX}/faults", control.clear_faults, methods=["DELETE"]),
        Route(f"{PREFIX}/reset", control.reset, methods=["POST"]),
        Route(f"{PREFIX}/seed", control.seed, methods=["POST"]),
        Route(f"{PREFIX}/images", control.push_image, methods=["POST"]),
        Route(f"{PREFIX}/telemetry", control.telemetry, methods=["GET"]),
        *service_principal.control_routes(emulator.directory, emulator.vault),
    ]
    app = Starlette(routes=routes, exception_handlers={ValidationError: _invalid})
    app.router.default = unknown_route
    return app


class _ControlPlane:
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def state(self, _request: Request) -> Response:
        """GET -> {computes, endpoints, services, containerGroups, workspaces, buckets}: the truth, without lag."""
        estate = self._emulator.estate
        estate.timeline.advance()
        workspaces = [
            {"id": w.id, "location": w.seed.location, "forbidden": w.seed.forbidden}
            for w in estate.workspaces()
        ]
        return JSONResponse(
            {
                "computes": [_compute(compute) for compute in estate.computes()],
                **scored_state(estate, base_url=self._emulator.base_url),
                **described(estate, base_url=self._emulator.base_url),
                "workspaces": workspaces,
                "buckets": self._emulator.buckets.describe(),
            }
        )

    async def requests(self, request: Request) -> Response:
        """GET ?after=SEQ -> {requests}: those that arrived later, oldest first."""
        after = request.query_params.get("after", "0")
        if not _SEQUENCE_NUMBER.fullmatch(after):
            return _bad_request("after must be a sequence number")
        records = self._emulator.recorder.after(int(after))
        return JSONResponse({"requests": [record.document() for record in records]})

    async def list_faults(self, _request: Request) -> Response:
        return JSONResponse({"faults": self._emulator.faults.describe()})

    async def add_fault(self, request: Request) -> Response:
        fault = await _parse(request, Fault)
        return JSONResponse({"id": self._emulator.faults.add(fault)}, status_code=201)

    async def clear_faults(self, _request: Request) -> Response:
        self._emulator.faults.clear()
        return Response(status_code=204)

    async def reset(self, _request: Request) -> Response:
        self._emulator.reset()
        return Response(status_code=204)

    async def seed(self, request: Request) -> Response:
        seed = await _parse(request, Seed)
        if any(image.command for image in seed.images.values()):
            return _bad_request(_NO_PROGRAMS)
        self._emulator.load(seed)
        return Response(status_code=204)

    async def push_image(self, request: Request) -> Response:
        """POST -> 201 {digest}: the tag leads there from now on; what runs goes on."""
        image = await _parse(request, PushedImage)
        if image.command:
            return _bad_request(_NO_PROGRAMS)
        digest = self._emulator.estate.images.push(image.reference, image)
        return JSONResponse({"digest": digest}, status_code=201)

    async def telemetry(self, _request: Request) -> Response:
        return JSONResponse({"envelopes": self._emulator.telemetry.envelopes})


async def _parse(request: Request, kind: type[Document]) -> Document:
    return kind.model_validate_json(await request.body())


def _compute(compute: Compute) -> dict[str, Any]:
    changes = [
        version
        for before, version in zip((None, *compute.versions), compute.versions, strict=False)
        if before is None or before.state != version.state
    ]
    return {
        "id": compute.id,
        "computeType": compute.seed.compute_type,
        "state": compute.state,
        "lastOperation": last_operation(compute.versions[-1].last_operation),
        "tags": compute.seed.tags,
        "stop_requests": compute.stop_requests,
        "history": [{"at": zulu(v.at), "state": v.state, "by": v.by} for v in changes],
    }


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ValidationError):
        raise error
    found = error.errors(include_url=False, include_input=False, include_context=False)
    places = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in found]
    return _bad_request("; ".join(places))


def _bad_request(message: str) -> Response:
    return JSONResponse({"error": {"code": "BadRequest", "message": message}}, status_code=400)
