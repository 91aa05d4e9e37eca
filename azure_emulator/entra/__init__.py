"""Entra ID on loopback: a tenant, its applications and identities, and the tokens they are given.

Nothing here is secure against anyone but a careless test: keys and secrets are made at start
and never leave the machine.
"""

from azure_emulator.entra.credentials import CertificateSeed, ClientSecretSeed
from azure_emulator.entra.directory import (
    ApplicationSeed,
    Directory,
    DirectorySeed,
    ManagedIdentitySeed,
)
from azure_emulator.entra.endpoints import routes
from azure_emulator.entra.tokens import Principal, PrincipalKind, TokenError, TokenErrorCode

__all__ = [
    "ApplicationSeed",
    "CertificateSeed",
    "ClientSecretSeed",
    "Directory",
    "DirectorySeed",
    "ManagedIdentitySeed",
    "Principal",
    "PrincipalKind",
    "TokenError",
    "TokenErrorCode",
    "routes",
]
