"""A file of scoring services in a blob, as an app reads it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from local_host.azurite.process import Azurite

BLOB = "services/list.yaml"


def a_file(url: str, name: str = "weight") -> dict[str, Any]:
    golden = {
        "name": "height 138",
        "path": "/weight",
        "query": {"height": 138},
        "expect": [{"at": "$.response[0]", "equals": 161.8533, "absolute": 5e-5}],
    }
    service = {
        "name": name,
        "group": "demo",
        "owner": "ada",
        "kind": "http",
        "url": url,
        "preset": "plumber",
        "checks": {"live": {"path": "/live"}, "golden": [golden]},
    }
    return {"version": 1, "services": [service]}


def put_file(azurite: Azurite, document: Any) -> str:
    """Store a file of services in a blob and return its URL."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as account:
        container, _, blob_name = BLOB.partition("/")
        with contextlib.suppress(ResourceExistsError):
            account.create_container(container)
        blob = account.get_blob_client(container, blob_name)
        text = document if isinstance(document, str) else json.dumps(document)
        blob.upload_blob(text, overwrite=True)
    return f"{azurite.blob_endpoint}/{BLOB}"
