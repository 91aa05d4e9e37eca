"""What a preset fills in: the cheap routes of a server that a file does not spell out.

Sources: plumber 1.x (R/pr_set.R, R/ui.R), vetiver (R/api.R), azureml-inference-server-http and the
container of AML v1 web services (`GET /` answers Healthy, port 5001).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.scoring.service import Checks, Kind, Preset, Route, Service

# Nothing cheaper is known: that somebody answers is all it says.
ANYBODY: Final = Route(path="/", status=None)
# A constant of the Python server: it says nothing of the model behind it.
_HEALTHY: Final = Route(path="/", contains="Healthy")

ROUTES: Final[Mapping[Preset, Route]] = MappingProxyType(
    {
        # plumber has no health route, and its documentation can be switched off; but its 404 is
        # R's own answer, which a busy R does not give.
        Preset.PLUMBER: ANYBODY,
        Preset.VETIVER: Route(path="/ping", contains="online"),
        Preset.AML_V1_ROOT: _HEALTHY,
        Preset.RPY2: _HEALTHY,
        # Azure's front end routes to /score alone, and may ask for a key before it says so.
        Preset.AML_ONLINE: ANYBODY,
    }
)
_OF_KIND: Final[Mapping[Kind, Preset]] = MappingProxyType(
    {Kind.AML_V1: Preset.AML_V1_ROOT, Kind.AML_ONLINE: Preset.AML_ONLINE}
)


def preset_of(service: Service) -> Preset | None:
    """Return the preset in force: the one declared, or that of its kind."""
    return service.preset or _OF_KIND.get(service.kind)


def service_checks(service: Service) -> Checks:
    """Return how a service is checked, with its preset's routes where it gives none.

    No preset knows a route that tells more than `live`: whether the model is loaded is told by a
    `ready` of the service's own, or by a golden request.
    """
    preset = preset_of(service)
    checks = service.checks
    if checks.live is not None or preset is None:
        return checks
    return checks.model_copy(update={"live": ROUTES[preset]})
