"""azure-identity and azure-keyvault-secrets, asynchronous and not: read the vault, sign in.

Argument: secret, certificate_pem or certificate_pkcs12, as it is kept in the vault. Finds the
object id that each client's token speaks for.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import azure.identity.aio as asynchronous
import jwt
from azure.keyvault.secrets.aio import SecretClient

from tests.azure_emulator.independent_clients import sign_in, stages

SCOPE = "https://management.azure.com/.default"
SECRETS = {
    "secret": "aml-ops-client-secret",
    "certificate_pem": "aml-ops-client-certificate",
    "certificate_pkcs12": "aml-ops-client-certificate",
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "certificate_pem": str.encode,
    "certificate_pkcs12": base64.b64decode,
}


def object_id(token: str) -> str:
    oid: str = jwt.decode(token, options={"verify_signature": False})["oid"]
    return oid


def synchronously(kind: str) -> str:
    if kind == "secret":
        return object_id(sign_in.secret_credential().get_token(SCOPE).token)
    vault = sign_in.vault()
    certificate = ENCODINGS[kind](vault.get_secret(SECRETS[kind]).value or "")
    client_id = vault.get_secret("aml-ops-client-id").value or ""
    credential = sign_in.certificate_credential(certificate, client_id=client_id)
    return object_id(credential.get_token(SCOPE).token)


@asynccontextmanager
async def open_vault() -> AsyncIterator[SecretClient]:
    async with AsyncExitStack() as stack:
        identity = await stack.enter_async_context(asynchronous.ManagedIdentityCredential())
        url = os.environ["KEY_VAULT_URL"]
        yield await stack.enter_async_context(
            SecretClient(url, identity, verify_challenge_resource=False)
        )


async def asynchronously(kind: str) -> tuple[str, list[str]]:
    async with open_vault() as vault:
        client_id = (await vault.get_secret("aml-ops-client-id")).value or ""
        value = (await vault.get_secret(SECRETS[kind])).value or ""
        names = [str(listed.name) async for listed in vault.list_properties_of_secrets()]
    async with credential(kind, client_id=client_id, value=value) as signed_in:
        return object_id((await signed_in.get_token(SCOPE)).token), names


def credential(
    kind: str, *, client_id: str, value: str
) -> asynchronous.ClientSecretCredential | asynchronous.CertificateCredential:
    tenant = os.environ["AZURE_TENANT_ID"]
    if kind == "secret":
        return asynchronous.ClientSecretCredential(
            tenant, client_id, value, disable_instance_discovery=True
        )
    return asynchronous.CertificateCredential(
        tenant,
        client_id,
        certificate_data=ENCODINGS[kind](value),
        disable_instance_discovery=True,
    )


def main(kind: str) -> dict[str, Any]:
    asynchronous_id, names = asyncio.run(asynchronously(kind))
    return {"sync": synchronously(kind), "async": asynchronous_id, "secrets": sorted(names)}


if __name__ == "__main__":
    stages.play(main)
