"""What a caller may ask of the native idle shutdown: which instances, and how long they may idle."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.callers import parse_json
from shared.compute.order import INSTANCE_ID, Names
from shared.errors import InvalidRequestError

# As Azure takes it (how-to-create-compute-instance.md): 15 minutes to 3 days.
SHORTEST_MINUTES, LONGEST_MINUTES = 15, 3 * 24 * 60


class IdleShutdownOrder(BaseModel):
    """`instances`: full ARM ids or bare names. Dry unless said otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    instances: Names
    idle_minutes: Annotated[int, Field(ge=SHORTEST_MINUTES, le=LONGEST_MINUTES)]
    dry_run: bool = True
    reason: Annotated[str, Field(max_length=500)] = ""

    @property
    def idle_after(self) -> timedelta:
        """The idle time that is wanted."""
        return timedelta(minutes=self.idle_minutes)

    def names_in(self, scope_id: str) -> bool:
        """Whether a full id that is named lies in a subscription or workspace."""
        return any(name.lower().startswith(f"{scope_id.lower()}/") for name in self.instances)

    def concerns(self, scope_id: str) -> bool:
        """Whether something that is named may lie there: a bare name may lie anywhere."""
        return self.names_in(scope_id) or any("/" not in name for name in self.instances)


def parse_idle_shutdown(body: bytes) -> IdleShutdownOrder:
    """Read a request body.

    Raises InvalidRequestError naming the first field that is wrong (413 over 64 KiB, else 400).
    """
    try:
        order = parse_json(IdleShutdownOrder, body)
    except InvalidRequestError as error:
        raise _named(error) from None
    for position, name in enumerate(order.instances):
        if "/" in name and not INSTANCE_ID.fullmatch(name):
            wanted = "must be a full ARM id or a bare name"
            raise InvalidRequestError(f"instances[{position}]", wanted)
    return order


def _named(error: InvalidRequestError) -> InvalidRequestError:
    # Elsewhere an absent list means all; here instances have to be named.
    if error.field == "instances" and error.detail.startswith("must not be empty"):
        return InvalidRequestError("instances", "must name at least one instance")
    return error
