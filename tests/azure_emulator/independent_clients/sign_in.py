"""The service principal, as any program gets at it that was given the emulator's env file."""

import os

from azure.identity import CertificateCredential, ClientSecretCredential, ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient


def vault() -> SecretClient:
    """Open the vault with the app's managed identity.

    The loopback host is outside the cloud's vault domain, so the SDK is told not to insist.
    """
    return SecretClient(
        os.environ["KEY_VAULT_URL"], ManagedIdentityCredential(), verify_challenge_resource=False
    )


def secret_credential() -> ClientSecretCredential:
    secrets = vault()
    return ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        secrets.get_secret("aml-ops-client-id").value or "",
        secrets.get_secret("aml-ops-client-secret").value or "",
        disable_instance_discovery=True,
    )


def certificate_credential(certificate: bytes, *, client_id: str) -> CertificateCredential:
    return CertificateCredential(
        os.environ["AZURE_TENANT_ID"],
        client_id,
        certificate_data=certificate,
        disable_instance_discovery=True,
    )
