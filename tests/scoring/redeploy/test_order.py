"""What callers may order, and how they are told what is wrong."""

import json
from typing import Any

import pytest

from shared.errors import InvalidRequestError
from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.order import RedeployOrder, is_pinned, parse_redeploy

DIGEST = "sha256:" + "a" * 64


def parsed(**body: Any) -> RedeployOrder:
    given = {"reason": "it hangs", **body}
    return parse_redeploy(json.dumps(given).encode(), service="weight")


def test_a_restart_needs_a_reason_and_nothing_else() -> None:
    assert parsed(restart=True) == RedeployOrder(
        change=Change(kind=ChangeKind.RESTART), reason="it hangs"
    )


@pytest.mark.parametrize(
    "image",
    [
        "weight:1",
        "contoso.azurecr.io/r/weight:2026-11-21",
        "localhost:5000/weight:latest",
        f"contoso.azurecr.io/weight@{DIGEST}",
        f"contoso.azurecr.io/weight:1@{DIGEST}",
    ],
)
def test_an_image_is_named_by_tag_or_digest(image: str) -> None:
    assert parsed(image=image).change == Change(kind=ChangeKind.IMAGE, target=image)
    assert is_pinned(image) is ("@" in image)


def test_a_model_is_named_with_its_version_and_stages_follow() -> None:
    order = parsed(model="weight-lm:12", dry_run=True, stages=["weight-aks", "weight-west"])

    assert order.change == Change(kind=ChangeKind.MODEL, target="weight-lm:12")
    assert order.dry_run
    assert order.stages == ("weight-aks", "weight-west")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"restart": True, "image": "weight:1"}, "restart"),
        ({"image": "weight:1", "model": "weight:1"}, "model"),
        ({"restart": False}, "restart"),
        ({"restart": "yes"}, "restart"),
        ({"restart": 1}, "restart"),
        ({"image": "weight"}, "image"),
        ({"image": "Weight:1"}, "image"),
        ({"image": "https://contoso.azurecr.io/weight:1"}, "image"),
        ({"image": "weight@sha256:abc"}, "image"),
        ({"image": "weight:1; rm -rf /"}, "image"),
        ({"image": "w" * 513}, "image"),
        ({"model": "weight"}, "model"),
        ({"model": "weight:"}, "model"),
        ({"model": "a b:1"}, "model"),
        ({"restart": True, "reason": " "}, "reason"),
        ({"restart": True, "reason": "x" * 501}, "reason"),
        ({"restart": True, "dry_run": "no"}, "dry_run"),
        ({"restart": True, "stages": ["weight"]}, "stages"),
        ({"restart": True, "stages": ["a", "a"]}, "stages"),
        ({"restart": True, "stages": ["No Name"]}, "stages[0]"),
        ({"restart": True, "stages": list("abcdef")}, "stages"),
        ({"restart": True, "force": True}, "force"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parsed(**body)

    assert (caught.value.status, caught.value.field) == (400, field)


def test_a_field_that_is_given_twice_is_refused_whichever_was_meant() -> None:
    body = b'{"restart": true, "reason": "it hangs", "dry_run": true, "dry_run": false}'

    with pytest.raises(InvalidRequestError) as caught:
        parse_redeploy(body, service="weight")

    assert (caught.value.status, caught.value.field) == (400, "dry_run")
