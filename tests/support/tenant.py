"""A tenant of the emulated Entra ID, asked by hand."""

from dataclasses import dataclass
from typing import Any

from tests.support.wire import Emulator, Reply, Wire, vault_secret, wire_to

ARM = "https://management.azure.com"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A tenant to sign in to, and the application that the vault knows."""

    wire: Wire
    tenant_id: str
    client_id: str

    @property
    def token_path(self) -> str:
        return f"/{self.tenant_id}/oauth2/v2.0/token"

    def request_token(self, *, tenant: str | None = None, **form: str) -> Reply:
        whole = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": f"{ARM}/.default",
        } | form
        given = {name: value for name, value in whole.items() if value}
        return self.wire.post_form(f"/{tenant or self.tenant_id}/oauth2/v2.0/token", given)

    def secret(self) -> str:
        return vault_secret(self.wire, "aml-ops-client-secret")

    def rotate(self, **wanted: Any) -> None:
        reply = self.wire.send_json("POST", "/_emulator/service-principal/rotate", wanted)
        assert reply.status == 201


def tenant_of(emulator: Emulator) -> Tenant:
    wire = wire_to(emulator)
    return Tenant(
        wire=wire,
        tenant_id=emulator.env["AZURE_TENANT_ID"],
        client_id=vault_secret(wire, "aml-ops-client-id"),
    )
