"""The administration over TCP: who may do what, and that no request makes it fail."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.up import Up, free_port, running
from tests.up import manifests as m
from tests.up.test_access import DECLARED, POLICY

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-admin")]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Administered:
    """An instance, where it is administered, and tokens by role."""

    up: Up
    port: int
    tokens: dict[str, str]

    def ask(
        self, method: str, path: str, role: str | None = "admin", body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Status, and the answer from JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {"content-type": "application/json", **headers}
        if role is not None:
            named["authorization"] = f"Bearer {self.tokens.get(role, role)}"
        try:
            connection.request(method, f"/v1{path}", json.dumps(body), named)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Administered]:
    folder = tmp_path_factory.mktemp("admin")
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("books"), POLICY, DECLARED)
    (folder / "mesh.yaml").write_text(m.text(*mesh))
    port = free_port()
    moved = ("--listen", "8088=0", "--admin", f"127.0.0.1:{port}")
    with running(folder, "--echo", *moved) as up:
        tokens = {
            role: json.loads(up.command("token", "issue", role, "--role", role, "--json"))
            for role in ("viewer", "editor", "admin")
        }
        for name in ("keyed", "gone"):
            up.command("consumer", "create", f"shop/{name}")
        yield Administered(up, port, {role: made["secret"] for role, made in tokens.items()})


@pytest.mark.parametrize(
    ("method", "path", "body", "statuses"),
    [
        ("GET", "/consumers", None, (401, 200, 200, 200)),
        ("GET", "/credentials", None, (401, 200, 200, 200)),
        ("POST", "/consumers", {"namespace": "shop", "name": "new"}, (401, 403, 201, 409)),
        ("POST", "/consumers/shop/keyed/credentials", {}, (401, 403, 201, 201)),
        ("DELETE", "/consumers/shop/gone", None, (401, 403, 204, 404)),
        ("GET", "/authorization-servers", None, (401, 200, 200, 200)),
        ("GET", "/grants", None, (401, 200, 200, 200)),
        ("POST", "/consumers/shop/keyed/grants/revoke", None, (401, 403, 200, 200)),
        ("POST", "/authorization-servers/a/b/keys/rotate", {}, (401, 403, 403, 404)),
        ("POST", "/master-key/rewrap", None, (401, 403, 403, 200)),
        ("GET", "/tokens", None, (401, 403, 403, 200)),
        ("POST", "/tokens", {"name": "n"}, (401, 403, 403, 201)),
        ("GET", "/objects?kind=Consumer&limit=1", None, (401, 200, 200, 200)),
        ("GET", "/audit", None, (401, 403, 403, 200)),
    ],
)
def test_roles_say_who_may_do_what(
    admin: Administered, method: str, path: str, body: Any, statuses: tuple[int, ...]
) -> None:
    roles = (None, "viewer", "editor", "admin")
    found = tuple(admin.ask(method, path, role, body)[0] for role in roles)
    assert found == statuses


@pytest.mark.parametrize("token", ["", "wrong", "pm_" + "0" * 49, "Bearer"])
def test_a_wrong_token_is_no_token(admin: Administered, token: str) -> None:
    status, answer = admin.ask("GET", "/consumers", token)
    assert (status, answer["status"]) == (401, 401)
    assert not token or token not in json.dumps(answer)


def test_a_revoked_token_is_refused(admin: Administered) -> None:
    _, made = admin.ask("POST", "/tokens", body={"name": "gone", "role": "admin"})
    assert admin.ask("GET", "/tokens", made["secret"])[0] == 200
    assert admin.ask("POST", f"/tokens/{made['token']['id']}/revoke")[0] == 200
    assert admin.ask("GET", "/tokens", made["secret"])[0] == 401


def test_what_a_file_declares_is_changed_there(admin: Administered) -> None:
    status, found = admin.ask("GET", "/consumers/shop/declared")
    assert (status, found["spec"]) == (200, {"groups": ["gold"]})
    assert "mesh.yaml:" in found["origin"]
    for method, path in (
        ("POST", "/consumers"),
        ("PUT", "/consumers/shop/declared"),
        ("DELETE", "/consumers/shop/declared"),
    ):
        body = {"namespace": "shop", "name": "declared"} if method == "POST" else {}
        status, answer = admin.ask(method, path, body=body)
        assert status == 409
        assert "declared at " in answer["detail"]


def test_a_change_says_which_version_was_seen(admin: Administered) -> None:
    path = "/consumers/shop/versioned"
    admin.ask("POST", "/consumers", body={"namespace": "shop", "name": "versioned"})
    changed = {"groups": ["a"]}
    first, answer = admin.ask("PUT", path, body=changed, **{"if-match": '"1"'})
    assert (first, answer["version"]) == (200, 2)
    assert admin.ask("PUT", path, body=changed, **{"if-match": '"1"'})[0] == 412


def test_lists_come_in_pages(admin: Administered) -> None:
    for index in range(5):
        body = {"namespace": "pages", "name": f"c{index}"}
        assert admin.ask("POST", "/consumers", body=body)[0] == 201
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        _, page = admin.ask("GET", f"/consumers?namespace=pages&limit=2&cursor={cursor}")
        found += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert found == [f"c{index}" for index in range(5)]


def test_who_is_asked_over_tcp_is_on_record_by_the_tokens_name(admin: Administered) -> None:
    body = {"namespace": "shop", "name": "recorded"}
    admin.ask("POST", "/consumers", "editor", body)
    _, page = admin.ask("GET", "/audit?object=shop/recorded")
    assert page["items"][0]["actor"] == "token:editor"


def test_no_request_makes_it_fail(admin: Administered) -> None:
    """Whatever the OpenAPI document allows, and what it does not, is answered as it says."""
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{admin.port}/v1/openapi.json")
    headers = {"Authorization": f"Bearer {admin.tokens['admin']}"}
    asked = 0
    for operation in schema.get_all_operations():
        assert isinstance(operation, Ok)
        found = operation.ok()
        takes_something = bool(list(found.iter_parameters()) or found.body)
        for mode in GenerationMode if takes_something else (GenerationMode.POSITIVE,):

            @given(case=found.as_strategy(generation_mode=mode))
            @settings(
                max_examples=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                derandomize=True,
                database=None,
            )
            def check(case: Any) -> None:
                case.call_and_validate(headers=headers, checks=CHECKS)

            check()
            asked += 1
    assert asked >= 2 * 20
