"""Credentials without a vault: a key for each service, and the next one when it was refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.scoring.credentials import SignIn
from shared.scoring.service import Service


@dataclass(kw_only=True)
class FakeCredentials:
    """`keys` by name of service, in the order in which they are given out."""

    keys: dict[str, Sequence[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    unavailable: set[str] = field(default_factory=set)
    renewed: list[str] = field(default_factory=list)

    async def sign_in(self, service: Service, *, renew: bool = False) -> SignIn:
        """Give out a key as the service declares it."""
        if renew:
            self.renewed.append(service.name)
        if service.name in self.problems:
            away = service.name in self.unavailable
            return SignIn(problem=self.problems[service.name], unavailable=away)
        if service.credential is None:
            return SignIn()
        keys = self.keys[service.name]
        key = keys[min(self.renewed.count(service.name), len(keys) - 1)]
        credential = service.credential
        return SignIn(headers={credential.header: f"{credential.scheme} {key}".strip()})
