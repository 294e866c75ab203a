"""Tables of credentials for Envoys that start from a static translation."""

from collections.abc import Callable, Mapping

from pointsman.envoy import pb
from pointsman.envoy.filters.credentials import KEYS, PASSWORDS, SUBJECTS
from pointsman.graph.model.access import Consumer, principal
from pointsman.resources.key import Key
from tests.support.instrument import Messages
from tests.support.manifests import NAMESPACE

Change = Callable[[Messages], None]


def who(name: str, credential: str, *groups: str) -> str:
    """A principal of the namespace that tests are in."""
    return principal(Consumer(Key("Consumer", NAMESPACE, name), groups), credential)


def with_tables(
    keys: Mapping[str, str] | None = None,
    passwords: Mapping[str, str] | None = None,
    subjects: Mapping[str, str] | None = None,
) -> Change:
    """Fills the tables: credential -> principal."""
    tables = {KEYS: keys or {}, PASSWORDS: passwords or {}, SUBJECTS: subjects or {}}

    def change(messages: Messages) -> None:
        for listener in messages.listeners:
            for chain in listener.filter_chains:
                for network_filter in chain.filters:
                    _fill(network_filter, tables)

    return change


def _fill(network_filter: pb.Message, tables: Mapping[str, Mapping[str, str]]) -> None:
    manager = pb.HttpConnectionManager()
    if not network_filter.typed_config.Is(manager.DESCRIPTOR):
        return
    network_filter.typed_config.Unpack(manager)
    for item in manager.http_filters:
        if item.name in tables:
            table = pb.ApiKeyAuth()
            item.typed_config.Unpack(table)
            for key, client in tables[item.name].items():
                table.credentials.add(key=key, client=client)
            item.typed_config.CopyFrom(pb.pack(table))
    network_filter.typed_config.CopyFrom(pb.pack(manager))
