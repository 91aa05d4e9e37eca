"""Bearer tokens at Resource Manager: accepted audiences, and the 401 with its challenge.

Codes and words: learn.microsoft.com/troubleshoot/azure/entra/entra-id/governance, and answers of
management.azure.com.
"""

from starlette.types import Scope

from azure_emulator.answers import AzureError
from azure_emulator.entra import Directory, Principal, TokenError, TokenErrorCode

MANAGEMENT = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
_CODES = {
    TokenErrorCode.MISSING: "AuthenticationFailed",
    TokenErrorCode.INVALID: "InvalidAuthenticationToken",
    TokenErrorCode.EXPIRED: "ExpiredAuthenticationToken",
    TokenErrorCode.WRONG_AUDIENCE: "InvalidAuthenticationTokenAudience",
}


def audiences(base_url: str) -> frozenset[str]:
    return MANAGEMENT | {base_url}


def authenticate(
    scope: Scope, directory: Directory, *, base_url: str, accepted: frozenset[str]
) -> Principal:
    """Who calls. Raises AzureError 401 with the challenge that azure-core's policies read."""
    try:
        return directory.verify(_bearer_token(scope), audiences=accepted)
    except TokenError as error:
        raise _unauthorized(error, authority=f"{base_url}/{directory.tenant_id}") from None


def _bearer_token(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == "bearer" else ""
    return ""


def _unauthorized(error: TokenError, *, authority: str) -> AzureError:
    message = _message(error)
    challenge = (
        f'Bearer authorization_uri="{authority}", error="invalid_token", '
        f'error_description="{message}"'
    )
    headers = ((b"www-authenticate", challenge.encode()),)
    return AzureError(401, _CODES[error.code], message, headers=headers)


def _message(error: TokenError) -> str:
    messages = {
        TokenErrorCode.MISSING: "Authentication failed. The 'Authorization' header is missing.",
        TokenErrorCode.INVALID: "The access token is invalid.",
        TokenErrorCode.EXPIRED: "The access token expiry UTC time has passed.",
        TokenErrorCode.WRONG_AUDIENCE: "The access token has been obtained for wrong audience or "
        f"resource '{error.audience}'. It should exactly match with one of the allowed audiences "
        "'https://management.core.windows.net/','https://management.core.windows.net',"
        "'https://management.azure.com/','https://management.azure.com'.",
    }
    return messages[error.code]
