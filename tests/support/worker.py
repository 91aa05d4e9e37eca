"""One worker of the app signing in against the emulator, the way an operator rotates credentials."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from shared.clients.key_vault import (
    CredentialSource,
    ServicePrincipalCache,
    ServicePrincipalCredential,
)
from shared.errors import CredentialError
from tests.support.emulator import EmulatorProcess
from tests.support.telemetry import RecordingTelemetry

SCOPE = "https://management.azure.com/.default"
CREDENTIAL_SECRET = "/secrets/aml-ops-client-secret"


@dataclass
class Worker:
    """One worker of the app: its cache, its clock, and what it told its operators."""

    emulator: EmulatorProcess
    cache: ServicePrincipalCache = field(default_factory=ServicePrincipalCache)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    prefix: str = "aml-ops"

    def run(self) -> ServicePrincipalCredential:
        """Make the credential of one run."""
        return ServicePrincipalCredential(
            source=CredentialSource(
                vault_url=self.emulator.env["KEY_VAULT_URL"],
                prefix=self.prefix,
                authority=self.emulator.env["AZURE_AUTHORITY_HOST"],
                vault_in_cloud_suffix=False,
            ),
            cache=self.cache,
            telemetry=self.telemetry,
            now=lambda: self.now,
        )

    async def sign_in(self) -> str:
        async with self.run() as credential:
            return (await credential.get_token_info(SCOPE)).token

    async def failure(self) -> CredentialError:
        with pytest.raises(CredentialError) as raised:
            await self.sign_in()
        return raised.value

    def rotate(self, **how: Any) -> None:
        self._control("POST", "service-principal/rotate", how)

    def store(self, name: str, **secret: Any) -> None:
        self._control("POST", f"vault/secrets/{name}", secret)

    def change(self, name: str, **attributes: Any) -> None:
        self._control("PATCH", f"vault/secrets/{name}", attributes)

    def remove(self, name: str) -> None:
        self._control("DELETE", f"vault/secrets/{name}", None)

    def _control(self, method: str, path: str, document: Any) -> None:
        reply = self.emulator.wire.send_json(method, f"/_emulator/{path}", document)
        assert reply.status < 300, reply.body

    def asked(self, path: str) -> int:
        """Count the requests that reached a path with a token or a credential."""
        requests = self.emulator.requests()
        return sum(path in request["path"] and request["status"] != 401 for request in requests)

    def asked_entra(self) -> int:
        return sum("oauth2" in each["path"] for each in self.emulator.requests())


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})
