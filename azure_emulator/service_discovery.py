"""How SDKs find this cloud: the clouds document beside ARM, and Azure ML's service addresses.

azureml-core and azure-ai-ml read `ARM_CLOUD_METADATA_URL` (`/metadata/endpoints`) and pick the
cloud `AZUREML_CURRENT_CLOUD`; azureml-core then reads the `discoveryUrl` of a workspace.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azure_emulator.entra.endpoints import own_url
from azure_emulator.exact_route import ExactRoute

# Not the name of a real cloud: the SDKs know those by heart and would go to Azure.
CLOUD = "AzureEmulator"
METADATA_PATH = "/metadata/endpoints"
METADATA_API_VERSION = "2019-05-01"
DISCOVERY_PATH = "/discovery"
SERVICES = (
    "api",
    "catalog",
    "cloudmetric",
    "compute",
    "experimentation",
    "hyperdrive",
    "history",
    "inferencing",
    "modelmanagement",
    "notebooks",
    "pipelines",
    "studio",
)
# Audiences and suffixes are the public cloud's, for they are names, not addresses. So is the portal:
# the SDKs derive Azure ML's own audience from it, https://ml.azure.com.
AUDIENCES = ["https://management.core.windows.net/", "https://management.azure.com/"]
NAMES = {
    "portal": "https://portal.azure.com",
    "graphAudience": "https://graph.windows.net/",
    "microsoftGraphResourceId": "https://graph.microsoft.com/",
    "media": "https://rest.media.azure.net",
    "batch": "https://batch.core.windows.net/",
    "activeDirectoryDataLake": "https://datalake.azure.net/",
    "ossrdbmsResourceId": "https://ossrdbms-aad.database.windows.net",
    "appInsightsResourceId": "https://api.applicationinsights.io",
    "logAnalyticsResourceId": "https://api.loganalytics.io",
    "synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
    "attestationResourceId": "https://attest.azure.net",
}
SUFFIXES = {
    "storage": "core.windows.net",
    "storageSyncEndpointSuffix": "afs.azure.net",
    "keyVaultDns": "vault.azure.net",
    "mhsmDns": "managedhsm.azure.net",
    "sqlServerHostname": "database.windows.net",
    "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
    "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
    "acrLoginServer": "azurecr.io",
    "synapseAnalytics": "dev.azuresynapse.net",
    "attestationEndpoint": "attest.azure.net",
}


def routes() -> list[Route]:
    """Make the routes that need no token, for the root of the host."""
    return [
        ExactRoute(METADATA_PATH, _metadata, methods=["GET"]),
        ExactRoute(DISCOVERY_PATH, _discovery, methods=["GET"]),
    ]


def env_entries(url: str) -> dict[str, str]:
    """Return the settings that make both Azure ML SDKs use this host as their cloud."""
    return {
        "ARM_CLOUD_METADATA_URL": f"{url}{METADATA_PATH}?api-version={METADATA_API_VERSION}",
        "AZUREML_CURRENT_CLOUD": CLOUD,
    }


def discovery_url(url: str) -> str:
    """Return the `discoveryUrl` of every workspace."""
    return f"{url}{DISCOVERY_PATH}"


async def _metadata(request: Request) -> Response:
    url = own_url(request)
    if request.query_params.get("api-version") == "2015-01-01":
        return JSONResponse(_endpoints_2015(url))
    return JSONResponse([_cloud(url)])


async def _discovery(request: Request) -> Response:
    return JSONResponse(dict.fromkeys(SERVICES, own_url(request)))


def _cloud(url: str) -> dict[str, Any]:
    """Describe this cloud as `/metadata/endpoints?api-version=2019-05-01` does."""
    addresses = ("resourceManager", "graph", "gallery", "sqlManagement", "vmImageAliasDoc")
    return {
        "name": CLOUD,
        "authentication": {
            "loginEndpoint": f"{url}/",
            "audiences": AUDIENCES,
            "tenant": "common",
            "identityProvider": "AAD",
        },
        **dict.fromkeys(addresses, f"{url}/"),
        "appInsightsTelemetryChannelResourceId": f"{url}/v2/track",
        **NAMES,
        "suffixes": SUFFIXES,
    }


def _endpoints_2015(url: str) -> dict[str, Any]:
    return {
        "galleryEndpoint": f"{url}/",
        "graphEndpoint": "https://graph.windows.net/",
        "portalEndpoint": "https://portal.azure.com/",
        "authentication": {
            "loginEndpoint": f"{url}/",
            "audiences": AUDIENCES,
        },
    }
