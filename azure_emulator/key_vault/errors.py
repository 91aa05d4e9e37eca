"""Key Vault's refusals: the envelope, the codes and the words of its data plane.

Source: learn.microsoft.com/azure/key-vault/general/rest-error-codes and public bug reports.
"""

from typing import Any

from starlette.responses import JSONResponse

from azure_emulator.entra.tokens import Principal, TokenError, TokenErrorCode
from azure_emulator.key_vault.vault import Vault

RESOURCE = "https://vault.azure.net"
LATEST_VERSION = "2025-07-01"
RESOURCE_GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/rg-aml-ops"


class VaultError(Exception):
    """An answer that is an error; `inner` is the code of the innererror."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        inner: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner
        self.headers = headers or {}

    def response(self, headers: dict[str, str]) -> JSONResponse:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.inner is not None:
            error["innererror"] = {"code": self.inner}
        return JSONResponse(
            {"error": error}, status_code=self.status, headers=headers | self.headers
        )


def unauthorized(error: TokenError, *, authority: str) -> VaultError:
    challenge = f'Bearer authorization="{authority}", resource="{RESOURCE}"'
    messages = {
        TokenErrorCode.MISSING: "AKV10000: Request is missing a Bearer or PoP token.",
        TokenErrorCode.INVALID: "AKV10001: The Bearer token could not be validated.",
        TokenErrorCode.EXPIRED: "[TokenExpired] Error validating token: the token is expired.",
        TokenErrorCode.WRONG_AUDIENCE: f"AKV10022: Invalid audience. Expected {RESOURCE}, "
        f"found: {error.audience}.",
    }
    return VaultError(
        401, "Unauthorized", messages[error.code], headers={"WWW-Authenticate": challenge}
    )


def missing_api_version() -> VaultError:
    return VaultError(400, "BadParameter", "api-version must be specified")


def unknown_api_version(version: str) -> VaultError:
    """The words are those of Azure/azure-sdk-for-python#28595 and azure-sdk-for-net#14789."""
    message = (
        f"The specified version ({version}) is not recognized. "
        f"Consider using the latest supported version ({LATEST_VERSION})."
    )
    return VaultError(400, "BadParameter", message)


def bad_parameter(message: str) -> VaultError:
    return VaultError(400, "BadParameter", message)


def invalid_name(name: str) -> VaultError:
    """The words are those of aspnet/MicrosoftConfigurationBuilders#22."""
    return bad_parameter(f"The request URI contains an invalid name: {name}")


def not_found(name: str) -> VaultError:
    return VaultError(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted "
        "this secret you may be able to recover it using the correct recovery command. For help "
        "resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def disabled() -> VaultError:
    return VaultError(
        403,
        "Forbidden",
        "Operation get is not allowed on a disabled secret.",
        inner="SecretDisabled",
    )


def forbidden(
    vault: Vault, *, principal: Principal, action: str, name: str | None, issuer: str
) -> VaultError:
    scope = f"{RESOURCE_GROUP}/providers/microsoft.keyvault/vaults/{vault.name}"
    resource = f"{scope}/secrets/{name}" if name else scope
    return VaultError(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\r\n"
        "If role assignments, deny assignments or role definitions were changed recently, please "
        "observe propagation time.\r\n"
        f"Caller: appid={principal.app_id};oid={principal.object_id};iss={issuer}\r\n"
        f"Action: '{action}'\r\n"
        f"Resource: '{resource}'\r\n"
        "Assignment: (not found)\r\n"
        "DenyAssignmentId: null\r\n"
        "DecisionReason: null \r\n"
        f"Vault: {vault.name};location=westeurope\r\n",
        inner="ForbiddenByRbac",
    )
