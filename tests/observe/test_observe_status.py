import pytest

from pointsman.observe.lines import plain
from pointsman.observe.status import (
    ProxyStatus,
    Status,
    TypeStatus,
    parse_status,
    status_json,
    status_lines,
)


def proxy(*types: TypeStatus) -> ProxyStatus:
    return ProxyStatus(node="n", gateway="a/g", types=types)


def test_a_status_survives_its_journey() -> None:
    import json

    status = Status(pid=1, version="0", proxies=(proxy(TypeStatus(type="cluster", acks=2)),))
    text = json.dumps({**status_json(status), "newer": True})
    assert parse_status(text) == status


def test_other_json_is_no_status() -> None:
    with pytest.raises(ValueError, match="pid"):
        parse_status('{"version": "0"}')


@pytest.mark.parametrize(
    ("types", "state"),
    [
        ((), "waiting"),
        ((TypeStatus(type="a", synced=True), TypeStatus(type="b")), "waiting"),
        ((TypeStatus(type="a", synced=True), TypeStatus(type="b", synced=True)), "synced"),
        ((TypeStatus(type="a", synced=True, error="no"),), "rejecting"),
    ],
)
def test_the_state_of_a_proxy(types: tuple[TypeStatus, ...], state: str) -> None:
    assert proxy(*types).state == state


def test_nothing_connected_and_nothing_wrong() -> None:
    shown = plain(status_lines(Status(pid=1, version="0", paths=("a", "b"))))
    assert shown == (
        "pointsman 0, process 1, serves a, b\n\n  no proxy is connected\n\nno problems\n"
    )
