"""Plain HTTPS to the emulator: what a test says without any Azure SDK."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

TIMEOUT_SECONDS = 30


class Emulator(Protocol):
    """What is needed of the emulator fixture: its env file's entries."""

    @property
    def env(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Wire:
    """One emulator, addressed by path; each call is a connection of its own."""

    url: str
    env: Mapping[str, str]

    def get(self, target: str, *, token: str | None = None, **headers: str) -> Reply:
        return self.send("GET", target, headers=_headers(headers, token=token))

    def post_form(self, target: str, form: Mapping[str, str], **headers: str) -> Reply:
        typed = {"Content-Type": "application/x-www-form-urlencoded"} | _headers(headers)
        return self.send("POST", target, body=urlencode(form).encode(), headers=typed)

    def send_json(self, method: str, target: str, document: Any = None) -> Reply:
        body = b"" if document is None else json.dumps(document).encode()
        return self.send(method, target, body=body, headers={"Content-Type": "application/json"})

    def send(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send to a path, or to an absolute URL of this emulator."""
        address = urlsplit(self.url)
        connection = http.client.HTTPSConnection(
            address.hostname or "",
            address.port,
            timeout=TIMEOUT_SECONDS,
            context=ssl.create_default_context(cafile=self.env["SSL_CERT_FILE"]),
        )
        try:
            connection.request(
                method, target.removeprefix(self.url), body=body or None, headers=headers or {}
            )
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(status=answer.status, headers=names, body=answer.read())
        finally:
            connection.close()


def wire_to(emulator: Emulator) -> Wire:
    return Wire(url=emulator.env["AZURE_EMULATOR_URL"], env=emulator.env)


def managed_identity_token(wire: Wire, resource: str = "https://vault.azure.net") -> str:
    """Ask as App Service's identity endpoint is asked; the identity may read the vault."""
    reply = wire.get(
        f"{wire.env['IDENTITY_ENDPOINT']}?"
        + urlencode({"api-version": "2019-08-01", "resource": resource}),
        x_identity_header=wire.env["IDENTITY_HEADER"],
    )
    token: str = reply.json()["access_token"]
    return token


def vault_secret(wire: Wire, name: str) -> str:
    """Read a secret of the vault with the managed identity."""
    reply = wire.get(f"/secrets/{name}?api-version=7.4", token=managed_identity_token(wire))
    value: str = reply.json()["value"]
    return value


def _headers(named: Mapping[str, str], *, token: str | None = None) -> dict[str, str]:
    headers = {name.replace("_", "-"): value for name, value in named.items()}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})
