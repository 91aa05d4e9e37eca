"""Take parts of the storage account away from a test's programs, or all of it."""

import os
import signal
import socket

from local_host.azurite.process import Azurite


def without(azurite: Azurite, *services: str) -> str:
    """Return a connection string in which nobody answers for "Blob", "Queue" or "Table"."""
    parts = azurite.connection_string.rstrip(";").split(";")
    settings = dict(part.split("=", 1) for part in parts)
    for service in services:
        settings[f"{service}Endpoint"] = f"http://127.0.0.1:{_closed_port()}/devstoreaccount1"
    return "".join(f"{name}={value};" for name, value in settings.items())


def kill(azurite: Azurite) -> None:
    """End an Azurite of the test's own (`start_azurite`) as if the account were gone."""
    os.kill(azurite.pid, signal.SIGKILL)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
