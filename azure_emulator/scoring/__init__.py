"""What stands behind emulated scoring URIs: the front end with its sign-in, then the container."""

from azure_emulator.scoring.routes import routes

__all__ = ["routes"]
