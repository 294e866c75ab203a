"""Credentials as the tables that proxies look them up in, and their way into a snapshot.

Translation has put empty tables into the snapshots of those proxies that ask who calls; they are
filled here, behind it, so that no secret passes through the graph.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pointsman.access.credential import Active
from pointsman.envoy.filters.credentials import KEYS, PASSWORDS, sealed_entry, sealed_table
from pointsman.envoy.sealed import EXTENSION, Sealed
from pointsman.graph.model.access import Consumer, principal
from pointsman.resources.key import Key
from pointsman.xds.snapshot import Snapshot

_TABLES: Final = {"key": KEYS, "password": PASSWORDS}


class Tables:
    """Fills tables, and remembers what stands in them: one credential of many changes at a time."""

    def __init__(self) -> None:
        self._consumers: Mapping[Key, Consumer] = {}
        self._entries: dict[str, bytes] = {}

    def fill(
        self, active: Sequence[Active], consumers: Mapping[Key, Consumer]
    ) -> dict[str, Sealed]:
        """The tables, by name. Credentials of consumers that are not there are left out.

        Args:
            active: credentials that are good, in an order that goes by them alone. What an id
                stands for never changes.
            consumers: whose they are; what is remembered goes by this very object.
        """
        if consumers is not self._consumers:
            self._consumers, self._entries = consumers, {}
        known = self._entries
        self._entries = {item.id: known.get(item.id) or _entry(item, consumers) for item in active}
        filled = {}
        for kind, name in _TABLES.items():
            entries = [self._entries[item.id] for item in active if item.kind == kind]
            filled[name] = sealed_table(name, entries)
        return filled


def _entry(item: Active, consumers: Mapping[Key, Consumer]) -> bytes:
    consumer = consumers.get(item.consumer)
    if consumer is None:
        return b""
    return sealed_entry(_value(item), principal(consumer, item.id))


def _value(item: Active) -> str:
    """What a request has to have."""
    if item.kind == "key":
        return item.secret.text
    pair = f"{item.id}:{item.secret.text}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def with_tables(snapshot: Snapshot, filled: Mapping[str, Sealed]) -> Snapshot:
    """The snapshot with filled tables in place of the empty ones it has.

    All other types stay the same objects, so that a push after a change carries tables only.
    """
    found = snapshot.of(EXTENSION)
    replaced = dict(_replaced(found, filled))
    if not replaced:
        return snapshot
    return Snapshot({**snapshot.resources, EXTENSION: {**found, **replaced}})


def _replaced(
    found: Mapping[str, Sealed], filled: Mapping[str, Sealed]
) -> Iterator[tuple[str, Sealed]]:
    return ((name, item) for name, item in filled.items() if name in found)
