"""The env file: all that a program needs to take this emulator for Azure. Never a credential."""

import os
from collections.abc import Mapping
from pathlib import Path

from azure_emulator import managed_identity, monitor, service_discovery
from azure_emulator.entra.directory import TENANT_ID


def entries(url: str, *, identity_header: str, ca_bundle: Path) -> dict[str, str]:
    """The settings by name; `url` has no trailing slash."""
    return {
        "AZURE_EMULATOR_URL": url,
        "AZURE_TENANT_ID": TENANT_ID,
        "KEY_VAULT_URL": url,
        "AZURE_AUTHORITY_HOST": url,
        "AZURE_RESOURCE_MANAGER_URL": url,
        "IDENTITY_ENDPOINT": f"{url}{managed_identity.PATH}",
        "IDENTITY_HEADER": identity_header,
        **service_discovery.env_entries(url),
        **monitor.env_entries(url),
        "SHUTDOWN_SCHEDULE": "0 */15 * * * *",
        "SCORING_SCHEDULE": "0 */5 * * * *",
        # Around the emulator it is always night: no machine is up because of the hour of the day.
        "DEFAULT_SCHEDULE": "none",
        "SSL_CERT_FILE": str(ca_bundle),
        "REQUESTS_CA_BUNDLE": str(ca_bundle),
    }


def ca_bundle_path(env_file: Path) -> Path:
    return env_file.with_name(f"{env_file.name}.ca.pem").absolute()


def write(path: Path, settings: Mapping[str, str]) -> None:
    """Rename the finished file into place, readable by its owner alone."""
    content = "".join(f"{name}={value}\n" for name, value in settings.items())
    write_private(path, content.encode())


def write_private(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
