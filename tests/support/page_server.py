"""Serves the dashboard's page beside a summary of the test's own, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shared.dashboard.page import page

KEY = "the-function-key"


@dataclass
class PageServer:
    """`summary` is answered to whoever sends KEY; `fails`: every other answer is 500,
    with `detail` as problem details where there is one.

    `asked`: the paths and queries of all requests.
    """

    summary: Mapping[str, Any]
    url: str = ""
    fails: bool = False
    detail: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, key: str | None) -> tuple[int, str, bytes, Mapping[str, str]]:
        """Return status, content type, body and headers."""
        self.asked.append(path)
        if path == "/api/dashboard":
            shown = page()
            return 200, shown.content_type, shown.body.encode(), shown.headers
        if self.fails and self.detail:
            problem = json.dumps({"detail": self.detail}).encode()
            return 500, "application/problem+json", problem, {}
        if self.fails:
            return 500, "text/plain", b"", {}
        if key != KEY:
            return 401, "text/plain", b"", {}
        return 200, "application/json", json.dumps(self.summary).encode(), {}


@contextmanager
def serving(summary: Mapping[str, Any]) -> Iterator[PageServer]:
    """Serve until the block is left."""
    served = PageServer(summary)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = self.headers.get("x-functions-key")
            status, content_type, body, headers = served.answer(self.path, key)
            self.send_response(status)
            sent = {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}
            for name, value in sent.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
