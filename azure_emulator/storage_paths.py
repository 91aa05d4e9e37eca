"""Where storage accounts are: in the path, as Azurite has them, since no host below this one has a name."""

PREFIX = "/storage"


def blob_url(base_url: str, account: str, name: str = "") -> str:
    """The URL of an account's Blob service, or of a blob by container and quoted name."""
    return f"{base_url}{PREFIX}/{account}/{name}"
