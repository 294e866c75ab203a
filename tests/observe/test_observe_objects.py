"""How far objects are, from what is wrong and what proxies have accepted."""

from pointsman.observe.lines import plain
from pointsman.observe.objects import ObjectStatus, object_lines, object_statuses
from pointsman.resources.codes import CODES
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem

ROUTE = Key("GatewayRoute", "shop", "books")
NODE = Key("VirtualNode", "shop", "books")


def status(*problems: str, proxies: tuple[tuple[frozenset[Key], bool], ...] = ()) -> ObjectStatus:
    found = [Problem(CODES[code], "told", key=ROUTE) for code in problems]
    return object_statuses([ROUTE], found, proxies)[ROUTE]


def test_states() -> None:
    here, there = frozenset({ROUTE}), frozenset({NODE})
    assert status().state == "accepted"
    assert status(proxies=((here, True), (there, False))).state == "programmed"
    assert status(proxies=((here, True), (here, False))).state == "waiting"
    assert status("PM202", proxies=((here, True),)).state == "refused"
    assert status("PM307", "PM202").state == "unresolved"
    assert status("PM303").state == "accepted", "a warning refuses nothing"


def test_what_cannot_be_read_is_there_all_the_same() -> None:
    problem = Problem(CODES["PM202"], "told", key=NODE)
    assert list(object_statuses([ROUTE], [problem], ())) == [ROUTE, NODE]


def test_nothing_is_told_as_nothing() -> None:
    assert plain(object_lines([])) == "none\n"
