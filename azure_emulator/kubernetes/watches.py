"""What a watch tells: changes of what is meant, and what comes to be meant or no longer is.

Source: kubernetes.io/docs/reference/using-api/api-concepts (watches, streaming lists), 1.32.
"""

from collections.abc import Iterator

from azure_emulator.kubernetes.access import Asked
from azure_emulator.kubernetes.selectors import Accepts
from azure_emulator.kubernetes.store import KINDS, Change, Object, Store

ADDED, MODIFIED, DELETED, BOOKMARK = "ADDED", "MODIFIED", "DELETED", "BOOKMARK"
Event = tuple[str, Object]


def in_order(store: Store, asked: Asked) -> list[Object]:
    """Return what a list or watch is asked for, by namespace and name."""
    found = store.all_of(asked.plural, asked.namespace)
    return sorted(
        found, key=lambda each: (each["metadata"].get("namespace", ""), each["metadata"]["name"])
    )


class Watch:
    """One watch of a kind: `begin` once, then `next` again and again."""

    def __init__(self, store: Store, asked: Asked, accepts: Accepts) -> None:
        self._store = store
        self._asked = asked
        self._accepts = accepts
        self._version = 0
        self._known: set[str] = set()

    def begin(self, version: int, *, bookmark: bool) -> list[Event]:
        """Return what is told first: all there is, unless a version says what is known."""
        if version and not bookmark:
            self._version = version
            for change in self._store.changes(self._asked.plural, after=0):
                if change.version <= version:
                    self._told(change)
            return []
        self._version = self._store.version
        meant = [each for each in in_order(self._store, self._asked) if self._accepts(each)]
        self._known = {each["metadata"]["uid"] for each in meant}
        return [*((ADDED, each) for each in meant), *self._bookmarks(bookmark)]

    def next(self) -> list[Event]:
        """Return what happened since."""
        return list(self._news())

    def _news(self) -> Iterator[Event]:
        for change in self._store.changes(self._asked.plural, after=self._version):
            self._version = change.version
            kind = self._told(change)
            if kind:
                yield kind, change.object

    def _told(self, change: Change) -> str:
        """How a change looks to those who see only what is meant; empty: it does not."""
        metadata = change.object["metadata"]
        inside = self._asked.namespace in {"", metadata.get("namespace", "")}
        meant = inside and change.type != DELETED and self._accepts(change.object)
        known = metadata["uid"] in self._known
        if meant:
            self._known.add(metadata["uid"])
            return MODIFIED if known else ADDED
        self._known.discard(metadata["uid"])
        return DELETED if known else ""

    def _bookmarks(self, wanted: bool) -> Iterator[Event]:  # noqa: FBT001  # the client's parameter
        if not wanted:
            return
        plural = self._asked.plural
        version = "apps/v1" if plural in {"deployments", "replicasets"} else "v1"
        ended = {"k8s.io/initial-events-end": "true"}
        metadata = {"resourceVersion": str(self._version), "annotations": ended}
        yield BOOKMARK, {"kind": KINDS[plural], "apiVersion": version, "metadata": metadata}
