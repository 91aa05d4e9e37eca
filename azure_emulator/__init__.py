"""Azure on 127.0.0.1 for local runs and tests: Entra ID, Key Vault, Resource Manager, ingestion."""
