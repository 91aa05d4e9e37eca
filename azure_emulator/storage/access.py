"""Who may read blobs: tokens of Entra ID whose principal has the data action, and signatures (SAS).

Sources: learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory and
create-service-sas.
"""

from typing import TYPE_CHECKING

from starlette.requests import Request

from azure_emulator.entra.directory import TENANT_ID
from azure_emulator.entra.tokens import TokenError
from azure_emulator.storage.errors import StorageError

if TYPE_CHECKING:
    from azure_emulator.emulator import Emulator

READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
RESOURCE = "https://storage.azure.com"


def require_read(emulator: "Emulator", request: Request, *, account: str, scope: str) -> None:
    """Raise StorageError unless the request may read; `scope` is the account's ARM id."""
    request.state.action = READ
    if "sig" in request.query_params:
        container = request.path_params["container"]
        if not emulator.estate.signatures.hold(account, container, request.query_params):
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
