"""What a caller orders: one change of one service, why, and where it goes next.

The body of `POST /api/scoring/services/{name}/redeploy`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.callers import Text, parse_json
from shared.errors import InvalidRequestError
from shared.scoring.redeploy.image_reference import parse_image
from shared.scoring.redeploy.mover import Change, ChangeKind

MAX_STAGES: Final = 5
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}:[A-Za-z0-9][A-Za-z0-9_.-]{0,29}")
_SERVICE: Final = r"^[a-z0-9](-?[a-z0-9])*$"


class RedeployBody(BaseModel):
    """The body of a POST as it is sent: exactly one of `image`, `model` and `restart`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    image: Annotated[Text, StringConstraints(max_length=512)] | None = None
    model: Annotated[Text, StringConstraints(max_length=300)] | None = None
    restart: bool | None = None
    reason: Annotated[Text, StringConstraints(max_length=500)]
    dry_run: bool = False
    # A JSON array: strict mode would want a tuple, which JSON does not have.
    stages: Annotated[
        list[Annotated[str, StringConstraints(pattern=_SERVICE, max_length=63)]],
        Field(max_length=MAX_STAGES),
    ] = []


@dataclass(frozen=True, kw_only=True)
class RedeployOrder:
    """One change and why. `stages`: services that get the same, each after the proof before it."""

    change: Change
    reason: str
    dry_run: bool = False
    stages: tuple[str, ...] = ()


def parse_redeploy(body: bytes, *, service: str) -> RedeployOrder:
    """Read the body of a POST for a service.

    Raises InvalidRequestError naming the first field that is wrong (413 over 64 KiB, else 400).
    """
    given = parse_json(RedeployBody, body)
    stages = tuple(given.stages)
    if service in stages or len(set(stages)) < len(stages):
        raise InvalidRequestError("stages", "names a service twice")
    return RedeployOrder(
        change=_change(given), reason=given.reason, dry_run=given.dry_run, stages=stages
    )


def is_pinned(image: str) -> bool:
    """Whether an image reference names a digest, which no push can move."""
    found = parse_image(image)
    return bool(found and found.digest)


def _change(given: RedeployBody) -> Change:
    named = [each for each in ("image", "model", "restart") if getattr(given, each) is not None]
    if len(named) != 1:
        raise InvalidRequestError(
            named[1] if named else "body", "give exactly one of image, model and restart"
        )
    if given.image is not None:
        return Change(kind=ChangeKind.IMAGE, target=_image(given.image))
    if given.model is not None:
        return Change(kind=ChangeKind.MODEL, target=_model(given.model))
    if not given.restart:
        raise InvalidRequestError("restart", "must be true, or left out")
    return Change(kind=ChangeKind.RESTART)


def _image(text: str) -> str:
    found = parse_image(text)
    if found is None:
        raise InvalidRequestError("image", "is no image reference: <registry>/<name>:<tag>")
    if not (found.tag or found.digest):
        raise InvalidRequestError("image", "names neither a tag nor a digest")
    return text


def _model(text: str) -> str:
    if not _MODEL.fullmatch(text):
        raise InvalidRequestError("model", "must look like <name>:<version>")
    return text
