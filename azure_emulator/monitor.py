"""Application Insights on loopback: takes telemetry in and keeps it for reading back.

Ingestion is Breeze's track endpoint (Azure Monitor exporter: POST {IngestionEndpoint}/v2.1/track,
a JSON array or JSON lines, possibly gzipped). Live metrics are answered "nobody is watching".
"""

import gzip
import json
import zlib
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azure_emulator.exact_route import ExactRoute

INSTRUMENTATION_KEY = "6f1d2a80-93c4-4b7e-a5d8-0c3e7b914f26"
APPLICATION_ID = "b8a40e57-1f62-4d9c-8e03-75c2d6f0a91b"
MAX_REMEMBERED = 200_000
LIVE_METRICS_POLL_SECONDS = 60


@dataclass(kw_only=True)
class Telemetry:
    """The Track items received, oldest first, as they came over the wire."""

    envelopes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, items: list[dict[str, Any]]) -> None:
        self.envelopes.extend(items)
        if len(self.envelopes) > MAX_REMEMBERED:
            del self.envelopes[: len(self.envelopes) - MAX_REMEMBERED]

    def clear(self) -> None:
        self.envelopes.clear()


def routes(telemetry: Telemetry) -> list[Route]:
    """Make the ingestion and live metrics routes, for the root of the host."""
    endpoints = _Endpoints(telemetry=telemetry)
    handlers = {
        "/v2.1/track": endpoints.track,
        "/v2/track": endpoints.track,
        "/QuickPulseService.svc/ping": endpoints.live_metrics,
        "/QuickPulseService.svc/post": endpoints.live_metrics,
    }
    return [
        # Azure's connection strings end endpoints with a slash, to which the exporter adds another.
        ExactRoute(f"{slash}{path}", handler, methods=["POST"])
        for path, handler in handlers.items()
        for slash in ("", "/")
    ]


def env_entries(url: str) -> dict[str, str]:
    """Return the settings that keep azure-monitor-opentelemetry 1.8 on this host.

    Read in its sources: the connection string redirects ingestion and live metrics; statsbeat,
    the SDK's control plane and its own statistics go to public hosts unless switched off; the
    default resource detectors ask the VM metadata service at 169.254.169.254.
    """
    return {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": (
            f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={url};"
            f"LiveEndpoint={url};ApplicationId={APPLICATION_ID}"
        ),
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "azure_app_service",
    }


@dataclass(frozen=True, kw_only=True)
class _Endpoints:
    telemetry: Telemetry

    async def track(self, request: Request) -> Response:
        """POST /v2.1/track -> {itemsReceived, itemsAccepted, errors}."""
        try:
            items = _items(_plain(await request.body()))
        except (RecursionError, ValueError):
            return _answer(
                received=0, errors=[_error(0, 400, "Invalid payload: not JSON")], status=400
            )
        refused = [_error(at, 400, why) for at, item in enumerate(items) if (why := _fault(item))]
        partly = HTTPStatus.PARTIAL_CONTENT if len(refused) < len(items) else HTTPStatus.BAD_REQUEST
        faulty = {error["index"] for error in refused}
        self.telemetry.add([item for at, item in enumerate(items) if at not in faulty])
        return _answer(
            received=len(items), errors=refused, status=partly if refused else HTTPStatus.OK
        )

    async def live_metrics(self, _request: Request) -> Response:
        """POST ping or post: not subscribed, come back in a minute."""
        return Response(
            headers={
                "x-ms-qps-subscribed": "false",
                "x-ms-qps-service-polling-interval-hint": str(LIVE_METRICS_POLL_SECONDS * 1000),
            }
        )


def _plain(body: bytes) -> bytes:
    # Judged by the magic number: exporters differ in whether they declare the encoding.
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        raise ValueError("not gzip") from None


def _items(body: bytes) -> list[Any]:
    text = body.decode().strip()
    if text.startswith("["):
        items: list[Any] = json.loads(text)
        return items
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _fault(item: Any) -> str | None:
    """Why an item is refused. Source: itemsAccepted and errors of Breeze's TrackResponse."""
    if not isinstance(item, dict):
        return "Telemetry item is not an object"
    required = ("name", "time", "iKey")
    missing = [name for name in required if not item.get(name)]
    if missing:
        return f"Field '{missing[0]}' on type 'Envelope' is required but missing or empty."
    known = str(item["iKey"]).lower() == INSTRUMENTATION_KEY
    return None if known else "Invalid instrumentation key"


def _error(index: int, status: int, message: str) -> dict[str, Any]:
    return {"index": index, "statusCode": status, "message": message}


def _answer(*, received: int, errors: list[dict[str, Any]], status: int) -> Response:
    return JSONResponse(
        {"itemsReceived": received, "itemsAccepted": received - len(errors), "errors": errors},
        status_code=status,
    )
