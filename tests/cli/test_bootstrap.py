"""`pointsman bootstrap` prints what an Envoy needs at its start."""

import json

import pytest
import yaml

from pointsman.cli.main import main

NODE = "mesh/shop/virtualNode/cart_shop"


def test_yaml_and_json_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["bootstrap", "--node", NODE, "--xds", "mesh.internal:18000", "--zone", "a"]
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert main([*asked, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert yaml.safe_load(text) == made
    assert made["node"] == {"id": NODE, "cluster": NODE, "metadata": {}, "locality": {"zone": "a"}}
    assert made["admin"]["address"]["socket_address"] == {
        "address": "127.0.0.1",
        "port_value": 9901,
    }


def test_the_administration_may_be_a_socket(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--xds", "unix:/tmp/x", "--admin", "/run/admin.sock", "--json"]
    assert main(["bootstrap", "--node", NODE, *options]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["admin"]["address"]["pipe"] == {"path": "/run/admin.sock", "mode": 0o600}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--for", "istio"], "neither envoy nor app-mesh"),
        (["--admin", "70000"], "not a port"),
        (["--tls-name", "x"], "TLS needs --tls-ca"),
    ],
)
def test_what_cannot_be_is_refused(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bootstrap", "--node", NODE, "--xds", "127.0.0.1:1", *options]) == 2
    assert words in capsys.readouterr().err
