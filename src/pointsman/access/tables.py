"""Credentials as the tables that proxies look them up in, and their way into a snapshot.

Translation has put empty tables into the snapshots of those proxies that ask who calls; they are
filled here, behind it, so that no secret passes through the graph.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pointsman.access.credential import Active
from pointsman.envoy.filters.credentials import KEYS, PASSWORDS, sealed_table
from pointsman.envoy.sealed import EXTENSION, Sealed
from pointsman.graph.model.access import Consumer, principal
from pointsman.resources.key import Key
from pointsman.xds.snapshot import Snapshot

_TABLES: Final = {"key": KEYS, "password": PASSWORDS}


def tables(active: Iterable[Active], consumers: Mapping[Key, Consumer]) -> dict[str, Sealed]:
    """The tables, by name. Credentials of consumers that are not there are left out."""
    entries: dict[str, list[tuple[str, str]]] = {KEYS: [], PASSWORDS: []}
    for item in active:
        consumer = consumers.get(item.consumer)
        if consumer is not None:
            entries[_TABLES[item.kind]].append((_value(item), principal(consumer, item.id)))
    return {name: sealed_table(name, found) for name, found in entries.items()}


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
