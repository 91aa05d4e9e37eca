"""Azure ML's model management (v1): web services on ACI and AKS, as azureml-core asks for them."""

from azure_emulator.model_management.routes import PREFIX, ROUTES

__all__ = ["PREFIX", "ROUTES"]
