"""The Blob service of the workspaces' storage accounts: what reading a model's files takes.

Source: learn.microsoft.com/rest/api/storageservices, List Blobs and Get Blob.
"""

from azure_emulator.storage.endpoints import routes

__all__ = ["routes"]
