"""Key Vault's secrets on loopback, as the data plane serves them."""

from azure_emulator.key_vault.endpoints import routes
from azure_emulator.key_vault.vault import SecretSeed, SecretVersion, Vault, VaultSeed

__all__ = ["SecretSeed", "SecretVersion", "Vault", "VaultSeed", "routes"]
