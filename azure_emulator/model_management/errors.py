"""Refusals of model management: `{code, statusCode, message, details, correlation}`.

Source: azureml-core 1.61, azureml/core/webservice/webservice.py.
"""

from typing import Any

from azure_emulator.answers import AzureError


class ModelManagementError(AzureError):
    """An answer that is an error, in the shape of model management."""

    def envelope(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "statusCode": self.status,
            "message": self.message,
            "details": [],
            "correlation": {"RequestId": None},
        }
