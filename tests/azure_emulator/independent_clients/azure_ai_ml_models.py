"""azure-ai-ml: get a model version and download its files, as the service principal.

Argument: the ARM id of a workspace, and `name:version` behind a `#`. The names of storage accounts lead to
the emulator, as a private DNS zone would have it.
"""

import logging
import os
import socket
import tempfile
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azure.ai.ml import MLClient

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential

STORAGE = ".blob.core.windows.net"


def main(argument: str) -> dict[str, Any]:
    logging.getLogger("azure.ai.ml").setLevel(logging.ERROR)
    _lead_storage_here()
    workspace_id, _, wanted = argument.partition("#")
    _, _, subscription, _, group, _, _, _, workspace = workspace_id.split("/")
    client = MLClient(
        secret_credential(),
        subscription,
        group,
        workspace,
        enable_telemetry=False,
        show_progress=False,
    )
    name, _, version = wanted.partition(":")
    model = client.models.get(name, version)
    with tempfile.TemporaryDirectory() as folder:
        client.models.download(name, version, download_path=folder)
        files = {
            str(path.relative_to(folder)): path.read_bytes().hex()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }
    return {"name": model.name, "version": model.version, "path": model.path, "files": files}


def _lead_storage_here() -> None:
    socket.getaddrinfo = partial(_resolve, socket.getaddrinfo)
    # Tests give programs a proxy that refuses, so that nothing leaves the host.
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    os.environ["no_proxy"] = f"{known},{STORAGE}"


def _resolve(resolve: Any, host: Any, port: Any, *rest: Any, **options: Any) -> Any:
    if str(host).endswith(STORAGE):
        emulator = urlsplit(os.environ["AZURE_EMULATOR_URL"])
        return resolve(emulator.hostname, emulator.port, *rest, **options)
    return resolve(host, port, *rest, **options)


if __name__ == "__main__":
    stages.play(main)
