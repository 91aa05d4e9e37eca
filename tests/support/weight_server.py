"""A weight service in a thread, for tests that use the app from the outside: it answers as told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

RIGHT = b'{"response":[161.8533]}'
WRONG = b'{"response":[161.1]}'


@dataclass(kw_only=True)
class WeightServer:
    """What `/weight` answers; `/live` is a constant. `requests` are the targets asked for."""

    url: str = ""
    status: int = 200
    body: bytes = RIGHT
    seconds: float = 0.0
    requests: list[str] = field(default_factory=list)


@contextmanager
def weight_server() -> Iterator[WeightServer]:
    """Serve on a free port of loopback until the block is left."""
    served = WeightServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(self.path)
            golden = self.path.startswith("/weight")
            if golden:
                time.sleep(served.seconds)
            self.send_response(served.status if golden else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(served.body if golden else b'{"live":true}')

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its argument
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
