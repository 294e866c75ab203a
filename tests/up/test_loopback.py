"""Addresses of virtual nodes on loopback."""

import errno
import socket

import pytest

from pointsman.app.loopback import Loopback
from pointsman.errors import UsageError
from pointsman.resources.key import Key


def node(name: str) -> Key:
    return Key("VirtualNode", "shop", name)


def test_runs_at_one_time_have_different_addresses() -> None:
    one, two = Loopback(), Loopback()
    one.open()
    two.open()
    try:
        addresses = [of(node("web")) for run in (one, two) for of in (run.ingress, run.egress)]
        assert len(set(addresses)) == 4
        one.close()
        again = Loopback()
        again.open()
        assert again.ingress(node("web")) == addresses[0]
        again.close()
    finally:
        one.close()
        two.close()


def test_a_node_keeps_its_addresses_and_has_them_for_itself() -> None:
    run = Loopback()
    names = [node(str(number)) for number in range(600)]
    addresses = [run.ingress(name) for name in names]
    assert len(set(addresses)) == 600
    assert not any(address.endswith((".0", ".255")) for address in addresses)
    assert [run.ingress(name) for name in reversed(names)] == addresses[::-1]


def test_a_taken_port_is_replaced_once_and_for_all() -> None:
    run = Loopback()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        moved = run.port("127.0.0.1", port)
        assert moved != port
        assert run.port("127.0.0.1", moved) != moved
    assert run.port("127.0.0.1", port) == moved
    assert run.port("127.0.0.2", port) == port


def test_a_system_without_the_addresses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError(errno.EADDRNOTAVAIL, str(address))

    monkeypatch.setattr("pointsman.app.loopback.socket.socket", Elsewhere)
    with pytest.raises(UsageError, match=r"cannot bind 127\.1\.255\.254") as refused:
        Loopback().open()
    assert "lo0 alias" in refused.value.hint
