"""Envoy's reasons are told without what it refused, for that may hold secrets."""

import json

from pointsman.envoy import complaint
from pointsman.proxy.binary import find_envoy
from pointsman.proxy.validate import validate


def test_reason_is_told_without_the_message() -> None:
    dumped = 'goo.gle/debugproto  \nsecret: "hush"\n: Proto constraint validation failed (A: b)'
    assert complaint.reason(dumped) == "Proto constraint validation failed (A: b)"
    assert complaint.reason("as it is") == "as it is"


def test_envoy_itself_is_understood() -> None:
    secret = {"name": "hush", "generic_secret": {"secret": {"inline_string": "s3cret"}}}
    endpoint = {"endpoint": {"address": {"socket_address": {"address": "", "port_value": 80}}}}
    cluster = {
        "name": "a",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "a", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    bootstrap = {"static_resources": {"clusters": [cluster], "secrets": [secret]}}
    (told,) = validate(find_envoy(), json.dumps(bootstrap))
    assert told == (
        "Proto constraint validation failed (BootstrapValidationError.StaticResources.Clusters[0]"
        ".LoadAssignment.Endpoints[0].LbEndpoints[0].Endpoint.Address.SocketAddress.Address: "
        "value length must be at least 1 characters)"
    )
