"""Web services: list, get, keys, tokens, logs.

Source: azureml-core 1.61, azureml/core/webservice/webservice.py and aks.py.
"""

from collections.abc import Callable

from azure_emulator.answers import JSON_TYPE, Answer, json_answer
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.paging import page
from azure_emulator.estate.scoring import SignIn, WebService
from azure_emulator.model_management.errors import ModelManagementError
from azure_emulator.model_management.filters import has_all
from azure_emulator.model_management.service_resource import wire


def list_services(call: Call) -> Answer:
    """GET services, POST services/list: those that every filter holds for."""
    found = [each for each in call.workspace().services.values() if _wanted(call, each)]
    return page(call, found, encode=lambda each: wire(call, each))


def get_service(call: Call) -> Answer:
    return Answer(body=wire(call, the_service(call)), headers=(JSON_TYPE,))


def list_keys(call: Call) -> Answer:
    """POST listkeys, whether or not the service asks for them."""
    service = the_service(call)
    kind = service.seed.compute_type.lower()
    call.require(f"{PROVIDER}/workspaces/services/{kind}/listkeys/action")
    keys = service.credentials
    return json_answer({"primaryKey": keys.primary, "secondaryKey": keys.secondary})


def get_token(call: Call) -> Answer:
    """POST token: 201, of an AKS service that signs in with tokens."""
    service = the_service(call)
    if service.sign_in is not SignIn.AML_TOKEN:
        message = f"Token authentication is not enabled for service {service.seed.name}."
        raise ModelManagementError(400, "BadRequest", message)
    token = service.credentials.new_token(now=call.clock.now())
    document = {
        "accessToken": token.value,
        "tokenType": "Bearer",
        "refreshAfter": token.refresh_after,
        "expiryOn": token.expires_at,
    }
    return json_answer(document, status=201)


def get_logs(call: Call) -> Answer:
    """GET logs: the last lines, as many as `tail` says."""
    lines = the_service(call).seed.logs.splitlines(keepends=True)
    tail = call.query.get("tail", "5000")
    wanted = int(tail) if tail.isdecimal() else len(lines)
    return json_answer({"content": "".join(lines[-wanted:] if wanted else [])})


def _wanted(call: Call, service: WebService) -> bool:
    query, seed = call.query, service.seed
    image, models = seed.image or "", seed.models
    is_so: dict[str, Callable[[str], bool]] = {
        "computetype": lambda wanted: wanted.upper() == seed.compute_type,
        "name": lambda wanted: wanted.lower() == seed.name,
        "imageid": lambda wanted: wanted == image,
        "imagename": lambda wanted: wanted == image.partition(":")[0],
        "imagedigest": lambda wanted: wanted == seed.image_digest,
        "modelid": lambda wanted: wanted in models,
        "modelname": lambda wanted: wanted in {each.partition(":")[0] for each in models},
        "tags": lambda wanted: has_all(seed.tags, wanted),
        "properties": lambda wanted: has_all(seed.properties, wanted),
    }
    return all(holds(query[name]) for name, holds in is_so.items() if query.get(name))


def the_service(call: Call) -> WebService:
    """The service in the path. Raises ModelManagementError 404."""
    name = call.names["service"]
    found = call.workspace().services.get(name.lower())
    if found is None:
        raise ModelManagementError(404, "ServiceNotFound", f"Service {name} was not found.")
    return found
