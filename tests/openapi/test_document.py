"""OpenAPI documents: what is read of them, and what is said of those that cannot be used."""

import json
from typing import Any

import pytest

from pointsman.resources.openapi.document import DocumentError, read_api
from pointsman.resources.openapi.judge import Judge
from pointsman.resources.openapi.refusal import Body
from tests.support.openapi import document


def judge(found: dict[str, Any], *, strict: bool = False) -> Judge:
    return Judge(read_api(json.dumps(found)), refuses_unknown=strict)


def schema(given: Any, version: str = "3.1.0") -> dict[str, Any]:
    content = {"application/json": {"schema": given}}
    paths = {"/x": {"post": {"requestBody": {"content": content}}}}
    return document(version, servers=[], paths=paths)


def status(found: Judge, value: Any, path: str = "/x", method: str = "POST") -> int:
    headers = {"content-type": "application/json"}
    refusal = found.judge(Body(method, path, headers, json.dumps(value).encode()))
    return 200 if refusal is None else refusal.status


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/pets", "POST /pets"),
        ("POST", "/v1/pets?x=1", "POST /pets"),
        ("PATCH", "/v1/pets/7", "PATCH /pets/{id}"),
        ("PATCH", "/v1/pets/mine", "PATCH /pets/mine"),
        ("POST", "/pets", None),
        ("POST", "/v1/pets/", None),
        ("PATCH", "/v1/pets/7/8", None),
        ("DELETE", "/v1/pets", None),
    ],
)
def test_operations_are_found_by_method_and_path(method: str, path: str, name: str | None) -> None:
    found = judge(document()).operation(method, path)
    assert (None if found is None else found.name) == name


def test_servers_of_a_path_count_instead_of_those_of_the_document() -> None:
    paths = {"/x": {"servers": [{"url": "/a"}, {"url": "https://h/b/"}], "post": {}}}
    found = judge(document(paths=paths))
    assert [found.operation("POST", f"{base}/x") is not None for base in ("/a", "/b", "/v1")] == [
        *(True, True, False)
    ]


def test_schemas_of_3_0_are_read_as_they_were_meant() -> None:
    old = {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 3, "exclusiveMinimum": True},
            "m": {"type": "integer", "maximum": 3, "exclusiveMaximum": False},
            "s": {"type": "string", "nullable": True, "enum": ["a"]},
        },
    }
    found = judge(schema(old, "3.0.3"))
    cases = [({"n": 3}, 400), ({"n": 4}, 200), ({"m": 3}, 200), ({"s": None}, 200), ({"s": 1}, 400)]
    assert [status(found, value) for value, _ in cases] == [expected for _, expected in cases]


def test_schemas_of_3_1_have_the_words_of_2020_12() -> None:
    found = judge(schema({"prefixItems": [{"type": "integer"}], "items": False}))
    assert [status(found, value) for value in ([1], ["a"], [1, 2])] == [200, 400, 400]


WRONG: list[tuple[Any, str]] = [
    ("a: [", "line 2: not YAML"),
    ("a: 1\na: 2", "line 2: "),
    ("[]", "it is no mapping"),
    ("swagger: '2.0'", "openapi: this is not 3.0.x or 3.1.x"),
    (document(paths=[]), "paths: this is no mapping"),
    (document(paths={"x": {"get": {}}}), "paths[x].get: the path does not begin with /"),
    (document(paths={"/x": {"post": {"requestBody": {}}}}), ".content: this is no mapping"),
    (schema({"$ref": "#/components/schemas/None"}), "there is no #/components/schemas/None"),
    (schema({"$ref": "http://127.0.0.1:9/x"}), "leads out of #/components"),
    (schema({"$ref": "file:///etc/passwd"}), "leads out of #/components"),
    (schema({"$id": "http://127.0.0.1:9/x"}), "$id is not understood"),
    (schema({"type": "strnig"}), "POST /x application/json"),
    (schema({"pattern": "(?=a)"}), "POST /x application/json"),
    (schema({"pattern": "(a"}), "POST /x application/json"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_cannot_be_used_is_told_with_its_place(given: Any, message: str) -> None:
    text = given if isinstance(given, str) else json.dumps(given)
    with pytest.raises(DocumentError) as error:
        Judge(read_api(text), refuses_unknown=False)
    assert message in str(error.value)


def test_schemas_may_refer_to_themselves_and_share_components() -> None:
    found = judge(document())
    pet: dict[str, Any] = {"name": "a"}
    for _ in range(20):
        pet = {"name": "a", "friends": [pet]}
    assert status(found, pet, "/v1/pets") == 200
    pet["friends"][0]["friends"][0]["name"] = 1
    assert status(found, pet, "/v1/pets") == 400


def test_an_expression_takes_no_longer_for_being_nasty() -> None:
    found = judge(schema({"pattern": "^(a+)+$"}))
    assert status(found, "a" * 50_000 + "b") == 400
