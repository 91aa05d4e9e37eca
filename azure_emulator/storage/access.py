"""Who may read blobs: tokens of Entra ID whose principal has the data action, and signatures (SAS).

Sources: learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory and
create-service-sas. A signature here covers container, rights and expiry.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request

from azure_emulator.clock import zulu
from azure_emulator.entra.directory import TENANT_ID
from azure_emulator.entra.tokens import TokenError
from azure_emulator.storage.errors import StorageError

if TYPE_CHECKING:
    from azure_emulator.emulator import Emulator

READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
RESOURCE = "https://storage.azure.com"
_LIFETIME_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Signatures:
    """Makes and checks signatures that are good for an hour."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def sign(self, account: str, container: str) -> str:
        """Return the query of a signature that lets read and list a container."""
        expiry = zulu(time.time() + _LIFETIME_SECONDS)
        signed = {"sv": "2023-11-03", "sr": "c", "sp": "rl", "se": expiry}
        return urlencode({**signed, "sig": self._signature(account, container, signed)})

    def hold(self, account: str, container: str, query: Mapping[str, str]) -> bool:
        """Whether a query holds a signature for this container that has not expired."""
        signed = {name: query.get(name, "") for name in ("sv", "sr", "sp", "se")}
        wanted = self._signature(account, container, signed)
        fresh = query.get("se", "") > zulu(time.time())
        return fresh and hmac.compare_digest(wanted, query.get("sig", ""))

    def _signature(self, account: str, container: str, signed: Mapping[str, str]) -> str:
        text = "\n".join((account, container, *signed.values()))
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()


def require_read(emulator: "Emulator", request: Request, *, account: str, scope: str) -> None:
    """Raise StorageError unless the request may read; `scope` is the account's ARM id."""
    request.state.action = READ
    if "sig" in request.query_params:
        container = request.path_params["container"]
        if not emulator.signatures.hold(account, container, request.query_params):
            raise StorageError("AuthenticationFailed")
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise _challenged(request, "NoAuthenticationInformation")
    try:
        principal = emulator.directory.verify(token, audiences=frozenset({RESOURCE}))
    except TokenError:
        raise _challenged(request, "InvalidAuthenticationInfo") from None
    request.state.principal = principal.object_id
    if not emulator.grants.allow_data(principal, action=READ, scope=scope):
        raise StorageError("AuthorizationPermissionMismatch")


def _challenged(request: Request, code: str) -> StorageError:
    host = request.url.netloc
    challenge = (
        f"Bearer authorization_uri=https://{host}/{TENANT_ID}/oauth2/authorize "
        f"resource_id={RESOURCE}"
    )
    return StorageError(code, headers={"WWW-Authenticate": challenge})
