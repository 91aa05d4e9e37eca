"""How probes sign in to services: the port of the checks to keys and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.scoring.service import Service


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Headers that hold a service's own key or token, or why there are none.

    A service that declares no credential has neither. `problem` is a sentence without secrets.
    `unavailable`: it is of what keeps the key, a vault say, and will pass; it says nothing of the
    service.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    problem: str = ""
    unavailable: bool = False


class Credentials(Protocol):
    """Knows the credential of each service, and renews it."""

    async def sign_in(self, service: Service, *, renew: bool = False) -> SignIn:
        """Return how to sign in; `renew`: not as before, since it was refused. Never raises."""
