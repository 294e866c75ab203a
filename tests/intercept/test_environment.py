from ipaddress import ip_network

import pytest

from pointsman.errors import UsageError
from pointsman.intercept.environment import read_environment
from pointsman.intercept.interception import METADATA, Interception

POD = {
    "APPMESH_START_ENABLED": "1",
    "APPMESH_IGNORE_UID": "1400",
    "APPMESH_ENVOY_INGRESS_PORT": "16000",
    "APPMESH_ENVOY_EGRESS_PORT": "16001",
    "APPMESH_APP_PORTS": "8080,8081",
    "APPMESH_EGRESS_IGNORED_IP": "10.0.0.0/8, fd00::/8",
    "APPMESH_EGRESS_IGNORED_PORTS": "22,3306",
    "APPMESH_ENABLE_IPV6": "0",
}


def test_an_empty_environment_leaves_the_defaults() -> None:
    assert read_environment({}).interception() == Interception()


def test_a_pod_spec_of_app_mesh_is_understood() -> None:
    environment = read_environment(POD)
    assert environment.enabled
    assert environment.interception() == Interception(
        app_ports=(8080, 8081),
        ingress_port=16000,
        egress_port=16001,
        ignored_uids=(1400,),
        ignored_ports=(22, 22, 3306),
        ignored_addresses=(*METADATA, ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
        ipv6=False,
    )


def test_flags_win_each_over_its_own_variable() -> None:
    wanted = read_environment(POD).interception(
        app_ports=[9090], egress_port=17001, ignored_gids=[5], ignored_ports=[25]
    )
    assert wanted.app_ports == (9090,)
    assert (wanted.ingress_port, wanted.egress_port) == (16000, 17001)
    assert (wanted.ignored_uids, wanted.ignored_gids) == ((1400,), (5,))
    assert wanted.ignored_ports == (22, 25)


def test_whoever_is_named_stands_in_for_the_usual_user() -> None:
    assert read_environment({"APPMESH_IGNORE_GID": "5"}).interception().ignored_uids == ()
    assert read_environment({}).interception(ignored_gids=[5]).ignored_uids == ()
    with pytest.raises(UsageError, match="neither a user nor a group"):
        read_environment({"APPMESH_IGNORE_UID": ""}).interception()


def test_a_node_without_listeners_has_no_app_ports() -> None:
    assert read_environment({"APPMESH_APP_PORTS": "0"}).app_ports == ()


def test_it_can_be_switched_off() -> None:
    assert not read_environment({"APPMESH_START_ENABLED": "0"}).enabled


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("APPMESH_APP_PORTS", "http", "APPMESH_APP_PORTS=http: not numbers"),
        ("APPMESH_EGRESS_IGNORED_IP", "a.b", "APPMESH_EGRESS_IGNORED_IP=a.b: not IP addresses"),
        ("APPMESH_ENVOY_EGRESS_PORT", "1,2", "not one port"),
        ("APPMESH_ENABLE_IPV6", "yes", "neither 0 nor 1"),
        ("APPMESH_IGNORE_UID", "envoy", "APPMESH_IGNORE_UID=envoy: not numbers"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_environment({name: value})
