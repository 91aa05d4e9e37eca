"""What each command does, and prints.

Source: kubectl 1.32, pkg/cmd/{get,logs,scale,set,patch,version}.
"""

import json
from argparse import Namespace
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

from azure_emulator.kubernetes.kubectl import printing, rollouts
from azure_emulator.kubernetes.kubectl.command_line import KNOWN, UnknownCommandError, targets
from azure_emulator.kubernetes.kubectl.description import described
from azure_emulator.kubernetes.kubectl.session import (
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    CommandFailedError,
    Outcome,
    Session,
    Target,
)
from azure_emulator.kubernetes.store import Object

_PATCHES = {"json": JSON_PATCH, "merge": MERGE, "strategic": STRATEGIC}


def perform(session: Session, options: Namespace) -> Outcome:
    """Do what a command line says. Raises CommandFailedError, UnknownCommandError."""
    done = _VERBS[options.verb](session, options)
    return done if isinstance(done, Outcome) else Outcome(text=done)


def _get(session: Session, options: Namespace) -> str:
    if options.raw:
        return session.text(options.raw)
    if options.output not in printing.FORMATS or not options.words:
        raise UnknownCommandError(KNOWN)
    query = _query(options)
    wanted = targets(options.words, options.namespace)
    if options.output in printing.TABLES:
        return printing.tables(session, wanted, query, options)
    found = [each for target in wanted for each in _found(session, target, query)]
    if options.output == "name":
        return "".join(f"{printing.name_of(each)}\n" for each in found)
    lone = len(wanted) == 1 and len(wanted[0].names) == 1
    return printing.document(found[0] if lone else printing.as_list(found), options.output)


def _describe(session: Session, options: Namespace) -> str:
    found = [
        each for target in _named(options) for each in _found(session, target, _query(options))
    ]
    return "\n\n".join(described(session, each) for each in found)


def _logs(session: Session, options: Namespace) -> str:
    *words, container = (*options.words, "") if not options.words[1:] else options.words
    if len(words) > 1 or not (words or options.selector):
        raise UnknownCommandError(KNOWN)
    pods, said = _pods(session, options, words)
    flags = {
        "tailLines": options.tail.replace("-1", "") or ("10" if options.selector else ""),
        "previous": "true" if options.previous else "",
        "timestamps": "true" if options.timestamps else "",
    }
    query = urlencode({name: value for name, value in flags.items() if value})
    for pod in pods:
        chosen, note = _container(session.get(pod), options.container or container)
        path = f"{pod.path}/{pod.name}/log?container={quote(chosen)}&{query}"
        said += note + session.text(path)
    return said


def _container(pod: Object, wanted: str) -> tuple[str, str]:
    """The container that is meant, and what kubectl says where it chose the first of them."""
    names = [str(each["name"]) for each in pod["spec"]["containers"]]
    if wanted and wanted not in names:
        name = pod["metadata"]["name"]
        raise CommandFailedError(f"error: container {wanted} is not valid for pod {name}")
    defaulted = f'Defaulted container "{names[0]}" out of: {", ".join(names)}\n'
    return wanted or names[0], defaulted if names[1:] and not wanted else ""


def _pods(session: Session, options: Namespace, words: list[str]) -> tuple[list[Target], str]:
    """The pods whose logs are wanted: of a Deployment it is one, which kubectl names."""
    namespace = options.namespace
    if not words:
        listed = session.items(Target(plural="pods", namespace=namespace), _query(options))
        return [_pod(each) for each in listed], ""
    (target,) = targets([words[0] if "/" in words[0] else f"pods/{words[0]}"], namespace)
    if target.plural == "pods":
        return [target], ""
    labels = session.get(target)["spec"]["selector"]["matchLabels"]
    wanted = ",".join(f"{name}={value}" for name, value in labels.items())
    query = f"?{urlencode({'labelSelector': wanted})}"
    found = session.items(Target(plural="pods", namespace=namespace), query)
    if not found:
        raise CommandFailedError("error: timed out waiting for the condition")
    chosen = _pod(found[0])
    told = f"Found {len(found)} pods, using pod/{chosen.name}\n"
    return [chosen], told if found[1:] else ""


def _pod(given: Object) -> Target:
    metadata = given["metadata"]
    return Target(plural="pods", namespace=metadata["namespace"], names=(metadata["name"],))


def _version(session: Session, options: Namespace) -> str:
    server = json.loads(session.text("/version"))
    if options.output:
        shown = {"clientVersion": server, "kustomizeVersion": "v5.5.0", "serverVersion": server}
        return printing.document(shown, options.output)
    version = server["gitVersion"]
    return f"Client Version: {version}\nKustomize Version: v5.5.0\nServer Version: {version}\n"


def _scale(session: Session, options: Namespace) -> str:
    if not options.replicas.isdecimal():
        raise UnknownCommandError(KNOWN)
    told = ""
    for target in _deployments(options):
        before = str(session.get(target)["spec"]["replicas"])
        if options.current_replicas not in {"", "-1", before}:
            raise CommandFailedError(
                f"error: Expected replicas to be {options.current_replicas}, was {before}"
            )
        replicas = {"spec": {"replicas": int(options.replicas)}}
        session.patch(
            Target(plural="deployments", namespace=target.namespace, names=(target.name,)),
            replicas,
            kind=MERGE,
            query="/scale",
        )
        told += f"{target.called()} scaled\n"
    return told


def _set(session: Session, options: Namespace) -> str:
    what, *words = options.words or [""]
    pairs = dict(word.split("=", 1) for word in words if "=" in word)
    if what != "image" or not pairs:
        raise UnknownCommandError(KNOWN)
    told = ""
    for target in _deployments(options, [word for word in words if "=" not in word]):
        pod = session.get(target)["spec"]["template"]["spec"]
        wanted = _images(pod, pairs)
        stored = [{"name": name, "image": image} for name, image in wanted.items()]
        if wanted != {each["name"]: each["image"] for each in pod["containers"]}:
            session.patch(target, {"spec": {"template": {"spec": {"containers": stored}}}})
            told += f"{target.called()} image updated\n"
    return told


def _images(pod: Object, pairs: Mapping[str, str]) -> dict[str, str]:
    """The image that each container is to have. Raises CommandFailedError."""
    known = {each["name"]: each["image"] for each in pod["containers"]}
    strangers = [name for name in pairs if name != "*" and name not in known]
    if strangers:
        raise CommandFailedError(f'error: unable to find container named "{strangers[0]}"')
    return {name: pairs.get(name, pairs.get("*", image)) for name, image in known.items()}


def _patch(session: Session, options: Namespace) -> str:
    try:
        change, kind = json.loads(options.patch), _PATCHES[options.type or "strategic"]
    except (ValueError, KeyError):
        raise UnknownCommandError(KNOWN) from None
    (target,) = _deployments(options)
    query = f"?{urlencode({'fieldManager': options.field_manager or 'kubectl-patch'})}"
    stored = session.patch(target, change, kind=kind, query=query)
    if options.output in {"json", "yaml"}:
        return printing.document(stored, options.output)
    return f"{target.called()}\n" if options.output == "name" else f"{target.called()} patched\n"


def _rollout(session: Session, options: Namespace) -> Outcome | str:
    what, *words = options.words or [""]
    if what not in rollouts.COMMANDS:
        raise UnknownCommandError(KNOWN)
    told = [
        rollouts.COMMANDS[what](session, each, options) for each in _deployments(options, words)
    ]
    goes_on = any(each.exit_code is None for each in told)
    return Outcome(text="".join(each.text for each in told), exit_code=None if goes_on else 0)


def _deployments(options: Namespace, words: list[str] | None = None) -> list[Target]:
    """The Deployments that are named, one by one. Raises UnknownCommandError."""
    found = _named(options, words)
    if any(target.plural != "deployments" or not target.names for target in found):
        raise UnknownCommandError(KNOWN)
    return [
        Target(plural=each.plural, namespace=each.namespace, names=(name,))
        for each in found
        for name in each.names
    ]


def _named(options: Namespace, words: list[str] | None = None) -> list[Target]:
    given = options.words if words is None else words
    if not given:
        raise UnknownCommandError(KNOWN)
    return targets(given, options.namespace)


def _found(session: Session, target: Target, query: str) -> list[Object]:
    if not target.names:
        return session.items(target, query)
    return [
        session.get(Target(plural=target.plural, namespace=target.namespace, names=(name,)))
        for name in target.names
    ]


def _query(options: Namespace) -> str:
    given = {
        "labelSelector": options.selector,
        "fieldSelector": getattr(options, "field_selector", ""),
    }
    query = urlencode({name: value for name, value in given.items() if value})
    return f"?{query}" if query else ""


_VERBS: Mapping[str, Callable[[Session, Namespace], Outcome | str]] = {
    "get": _get,
    "describe": _describe,
    "logs": _logs,
    "version": _version,
    "scale": _scale,
    "set": _set,
    "patch": _patch,
    "rollout": _rollout,
}
