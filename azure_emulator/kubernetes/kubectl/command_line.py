"""Command lines of kubectl, as far as they are known here.

Source: kubernetes.io/docs/reference/kubectl/generated, 1.32.
"""

import shlex
from argparse import ArgumentError, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import NoReturn

from azure_emulator.kubernetes.kubectl.session import Target

KNOWN = (
    "The emulator executes nothing. Of `kubectl` it knows get (pods, deployments, replicasets, events, "
    "namespaces, all, --raw), describe, logs, version, scale, set image, patch deployment and "
    "rollout (status, restart, undo, history, pause, resume)"
)
_PLURALS = {
    word: plural
    for plural, words in {
        "pods": "pods pod po",
        "deployments": "deployments deployment deploy deployments.apps deployment.apps",
        "replicasets": "replicasets replicaset rs replicasets.apps replicaset.apps",
        "events": "events event ev",
        "namespaces": "namespaces namespace ns",
    }.items()
    for word in words.split()
}
_ALL = "pods,deployments,replicasets"
# What a shell would read as its own.
_SHELL = frozenset("();<>|&")


class UnknownCommandError(Exception):
    """A command line that is not known here."""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ArgumentError(None, message)


def parsed(command: str) -> Namespace:
    """Read a command line: verb, words, flags. Raises UnknownCommandError."""
    try:
        program, *words = _words(command)
        options, rest = _everywhere().parse_known_args(words)
        verb, *rest = rest
        if program != "kubectl" or verb not in _FLAGS:
            raise UnknownCommandError(KNOWN)
        _of(verb).parse_intermixed_args(rest, options)
    except (ValueError, ArgumentError):
        raise UnknownCommandError(KNOWN) from None
    options.verb = verb
    options.namespace = "" if options.all_namespaces else options.namespace
    return options


def targets(words: Sequence[str], namespace: str) -> list[Target]:
    """Read `pods,rs`, `pod a b` or `deployment/weight pod/a`. Raises UnknownCommandError."""
    if any("/" in word for word in words):
        pairs = [word.partition("/") for word in words]
        return [_target(kind, namespace, (name,)) for kind, _, name in pairs]
    kinds = words[0].replace("all", _ALL) if words[0] == "all" else words[0]
    return [_target(kind, namespace, tuple(words[1:])) for kind in kinds.split(",")]


def _target(kind: str, namespace: str, names: tuple[str, ...]) -> Target:
    plural = _PLURALS.get(kind.lower())
    if plural is None or not all(names):
        raise UnknownCommandError(KNOWN)
    return Target(plural=plural, namespace=namespace, names=names)


def _words(command: str) -> list[str]:
    """Split as a shell does. Raises ValueError for what only a shell could do."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words = list(lexer)
    if any(word and _SHELL.issuperset(word) for word in words):
        raise ValueError(command)
    return words


def _everywhere() -> ArgumentParser:
    """Flags that may stand before the verb, too."""
    parser = _Parser(add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--namespace", "-n", default="default")
    parser.add_argument("--all-namespaces", "-A", action="store_true")
    parser.add_argument("--output", "-o", default="")
    return parser


def _of(verb: str) -> ArgumentParser:
    parser = _Parser(add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("words", nargs="*")
    for flag in _FLAGS[verb]:
        names = flag.removesuffix("?").split("|")
        if flag.endswith("?"):
            parser.add_argument(*names, action="store_true")
        else:
            parser.add_argument(*names, default="")
    return parser


# The flags of each verb; `?`: without a value.
_FLAGS: dict[str, tuple[str, ...]] = {
    "get": ("--raw", "--selector|-l", "--field-selector", "--sort-by", "--no-headers?"),
    "describe": ("--selector|-l",),
    "logs": ("--container|-c", "--tail", "--selector|-l", "--previous|-p?", "--timestamps?"),
    "version": (),
    "scale": ("--replicas", "--current-replicas"),
    "set": (),
    "patch": ("--type", "--patch|-p", "--field-manager"),
    "rollout": ("--to-revision", "--revision", "--timeout", "--watch|-w"),
}
