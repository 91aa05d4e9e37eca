"""Serve the entry script on 127.0.0.1: `python serve_on_loopback.py --model-dir DIR [--port 5001]`.

The inference server listens on every address and has no option for another. In a container that is
right; on a machine of one's own it is not.
"""

import argparse
import random
import socket
import sys
from pathlib import Path

from azureml_inference_server_http import amlserver

ENTRY_SCRIPT = Path(__file__).with_name("score.py")
LOOPBACK = "127.0.0.1"
# Below the ports that Linux gives to outgoing connections, so that none of them takes it.
FREE_PORTS = range(10_000, 32_000)


def main() -> None:
    """Serve until SIGTERM. gunicorn prints where it listens, and does so before the model is loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", type=Path, required=True, help="the folder of model.rds")
    parser.add_argument("--port", type=int, default=5001, help="on 127.0.0.1; 0 = any free one")
    arguments = parser.parse_args()
    amlserver.DEFAULT_HOST = LOOPBACK
    sys.argv[1:] = [
        *("--entry_script", str(ENTRY_SCRIPT)),
        *("--model_dir", str(arguments.model_dir)),
        *("--port", str(arguments.port or _free_port())),
    ]
    amlserver.run()


def _free_port() -> int:
    while True:
        port = random.choice(FREE_PORTS)  # noqa: S311  # a port is no secret
        if _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        # As gunicorn does: what was closed a moment ago may be used again.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    main()
