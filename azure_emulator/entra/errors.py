"""Entra ID's refusals, in its own codes and words.

Codes: learn.microsoft.com/entra/identity-platform/reference-error-codes; the wording is that of
public bug reports. A message names applications, scopes and thumbprints, never a credential.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

from starlette.responses import JSONResponse

NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}


class EntraError(Exception):
    """An answer of the token endpoint: `error` is OAuth's word, `code` the AADSTS number."""

    def __init__(self, code: int, error: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"AADSTS{code}: {message}")
        self.code = code
        self.error = error
        self.message = message
        self.status = status

    def response(
        self, *, authority: str, now: datetime, correlation_id: str | None
    ) -> JSONResponse:
        trace_id = str(uuid4())
        return JSONResponse(
            self._body(
                authority=authority,
                timestamp=f"{now:%Y-%m-%d %H:%M:%SZ}",
                trace_id=trace_id,
                correlation_id=correlation_id or str(uuid4()),
            ),
            status_code=self.status,
            headers=NO_STORE | {"x-ms-request-id": trace_id},
        )

    def _body(
        self, *, authority: str, timestamp: str, trace_id: str, correlation_id: str
    ) -> dict[str, Any]:
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self.message} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"{authority}/error?code={self.code}",
        }


def missing_parameter(name: str) -> EntraError:
    return EntraError(
        900144,
        "invalid_request",
        f"The request body must contain the following parameter: '{name}'.",
    )


def unsupported_grant(grant_type: str) -> EntraError:
    return EntraError(
        70003,
        "unsupported_grant_type",
        f"The app requested an unsupported grant type '{grant_type}'.",
    )


def unknown_tenant(tenant: str) -> EntraError:
    return EntraError(
        90002,
        "invalid_request",
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are "
        "signing into the correct cloud. Check with your subscription administrator, this may "
        "happen if there are no active subscriptions for the tenant.",
    )


def unknown_application(client_id: str, *, tenant: str) -> EntraError:
    return EntraError(
        700016,
        "unauthorized_client",
        f"Application with identifier '{client_id}' was not found in the directory '{tenant}'. "
        "This can happen if the application has not been installed by the administrator of the "
        "tenant or consented to by any user in the tenant. You may have sent your authentication "
        "request to the wrong tenant.",
    )


def wrong_secret(client_id: str) -> EntraError:
    return EntraError(
        7000215,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client "
        f"secret value, not the client secret ID, for a secret added to app '{client_id}'.",
        status=401,
    )


def expired_secret(client_id: str) -> EntraError:
    return EntraError(
        7000222,
        "invalid_client",
        f"The provided client secret keys for app '{client_id}' are expired. Visit the Azure "
        "portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using "
        "certificate credentials for added security: https://aka.ms/certCreds.",
        status=401,
    )


def missing_credential() -> EntraError:
    return EntraError(
        7000216,
        "invalid_client",
        "'client_assertion', 'client_secret' or 'request' is required for the "
        "'client_credentials' grant type.",
        status=401,
    )


def unknown_certificate(client_id: str, *, thumbprint: str, reason: str) -> EntraError:
    return EntraError(
        700027,
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on "
        f"application. [Reason - {reason}, Thumbprint of key used by client: '{thumbprint}', "
        "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured "
        f"keys for app Id '{client_id}'.]",
        status=401,
    )


def wrong_assertion_audience() -> EntraError:
    return EntraError(
        700023,
        "invalid_client",
        "Client assertion audience claim does not match Realm issuer.",
        status=401,
    )


def assertion_outside_time(message: str) -> EntraError:
    return EntraError(
        700024,
        "invalid_client",
        f"Client assertion is not within its valid time range. {message}",
        status=401,
    )


def malformed_assertion() -> EntraError:
    return EntraError(
        50027,
        "invalid_request",
        "JWT token is invalid or malformed.",
    )


def invalid_scope(scope: str) -> EntraError:
    return EntraError(
        70011,
        "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value for the "
        f"input parameter 'scope' is not valid. The scope {scope} is not valid.",
    )


def scope_without_default(scope: str) -> EntraError:
    return EntraError(
        1002012,
        "invalid_scope",
        f"The provided value for scope {scope} is not valid. Client credential flows must have a "
        "scope value with /.default suffixed to the resource identifier (application ID URI).",
    )


def unknown_resource(resource: str, *, tenant: str) -> EntraError:
    return EntraError(
        500011,
        "invalid_resource",
        f"The resource principal named {resource} was not found in the tenant named {tenant}. This "
        "can happen if the application has not been installed by the administrator of the tenant "
        "or consented to by any user in the tenant. You might have sent your authentication "
        "request to the wrong tenant.",
    )
