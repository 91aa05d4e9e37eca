"""What a preset fills in, and what it leaves to the file."""

import pytest

from shared.scoring.presets import ANYBODY, ROUTES, preset_of, service_checks
from shared.scoring.service import Checks, Kind, Preset, Route, Service

RESOURCE = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-r/providers"
    "/Microsoft.MachineLearningServices/workspaces/ws-r"
)


def with_preset(preset: Preset | None, checks: Checks) -> Service:
    return Service(
        name="weight", kind=Kind.HTTP, url="http://127.0.0.1:8000", preset=preset, checks=checks
    )


@pytest.mark.parametrize("preset", Preset)
def test_every_preset_knows_a_cheap_route(preset: Preset) -> None:
    checks = service_checks(with_preset(preset, Checks(timeout_seconds=3)))

    assert checks.live == ROUTES[preset]
    assert checks.timeout_seconds == 3


def test_a_route_of_the_file_comes_before_the_presets() -> None:
    live, ready = Route(path="/live"), Route(path="/ready")

    checks = service_checks(with_preset(Preset.PLUMBER, Checks(live=live, ready=ready)))

    assert (checks.live, checks.ready) == (live, ready)


def test_without_a_preset_only_what_the_file_says_is_asked() -> None:
    checks = service_checks(with_preset(None, Checks(ready=Route(path="/ready"))))

    assert checks.live is None


@pytest.mark.parametrize(
    ("kind", "resource", "preset"),
    [
        (Kind.AML_V1, f"{RESOURCE}/services/svm", Preset.AML_V1_ROOT),
        (Kind.AML_ONLINE, f"{RESOURCE}/onlineEndpoints/svm", Preset.AML_ONLINE),
    ],
)
def test_a_kind_of_aml_has_a_preset_without_saying_so(
    kind: Kind, resource: str, preset: Preset
) -> None:
    assert preset_of(Service(name="svm", kind=kind, resource_id=resource)) is preset


def test_an_online_endpoint_is_only_asked_whether_anybody_answers() -> None:
    assert ROUTES[Preset.AML_ONLINE] == ANYBODY
    assert ANYBODY.accepts(401)
