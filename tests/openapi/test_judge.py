"""Bodies: those that pass are those that every reader reads as the document says."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.resources.openapi.document import read_api
from pointsman.resources.openapi.judge import Judge
from pointsman.resources.openapi.refusal import Body, Refusal
from tests.support.openapi import PET, document

JSON = {"content-type": "application/json"}
JUDGE = Judge(read_api(json.dumps(document())), refuses_unknown=False)
STRICT = Judge(read_api(json.dumps(document())), refuses_unknown=True)


def judged(
    content: bytes,
    headers: dict[str, str] = JSON,
    method: str = "POST",
    path: str = "/v1/pets",
    by: Judge = JUDGE,
) -> Refusal | None:
    return by.judge(Body(method, path, headers, content))


def status(*arguments: Any, **more: Any) -> int:
    refusal = judged(*arguments, **more)
    return 200 if refusal is None else refusal.status


BYTES = [
    (b'{"name": "rex"}', 200),
    (b'{"name": "rex", "age": 3}', 200),
    (b" \n{}", 400),
    (b'{"name": "rex", "age": -1}', 400),
    (b'{"name": "rex", "age": 1.5}', 400),
    (b'{"name": "rex", "other": 1}', 400),
    (b'{"name": "rex"', 400),
    (b'{"name": "rex"} {}', 400),
    (b'{"name": "rex", "name": "max"}', 400),
    (b'{"name": "rex", "n\\u0061me": "max"}', 400),
    (b'{"name": "rex", "age": NaN}', 400),
    (b'{"name": "rex", "age": Infinity}', 400),
    (b'{"name": "rex", "age": 1e999}', 400),
    (b'{"name": "r\xff"}', 400),
    (b'\xef\xbb\xbf{"name": "rex"}', 400),
    ('{"name": "rex"}'.encode("utf-16"), 400),
    (b'{"name": "rex", "age": ' + b"9" * 5000 + b"}", 400),
    (b"[" * 100_000, 400),
    (b'{"name":"a","friends":[' * 40 + b'{"name":"A"}' + b"]}" * 40, 400),
    (b"", 400),
]


@pytest.mark.parametrize(("content", "expected"), BYTES)
def test_bodies_are_read_strictly(content: bytes, expected: int) -> None:
    assert status(content) == expected


PET_BYTES = b'{"name": "rex"}'
KINDS = [
    ({"content-type": "application/json; charset=utf-8"}, 200),
    ({"content-type": "Application/JSON"}, 200),
    ({"content-type": "application/json; charset=utf-16"}, 415),
    ({"content-type": "text/plain"}, 415),
    ({"content-type": "application/problem+json"}, 415),
    ({}, 415),
    ({**JSON, "content-encoding": "gzip"}, 415),
    ({**JSON, "content-encoding": "identity"}, 200),
]


@pytest.mark.parametrize(("headers", "expected"), KINDS)
def test_other_kinds_of_bodies_are_refused(headers: dict[str, str], expected: int) -> None:
    assert status(PET_BYTES, headers) == expected


def test_kinds_that_the_document_has_beside_json_pass_as_they_are() -> None:
    assert status(b"a;b", {"content-type": "text/csv"}, method="PUT") == 200
    assert status(b"", {}, method="PUT") == 200
    patch = {"content-type": "application/merge-patch+json"}
    assert status(b"{}", patch, method="PATCH", path="/v1/pets/7") == 400
    assert status(b'{"a": 1}', patch, method="PATCH", path="/v1/pets/7") == 200


def test_what_the_document_does_not_have_passes_or_is_refused() -> None:
    places = [("POST", "/other"), ("DELETE", "/v1/pets"), ("GET", "/v1/pets")]
    assert [status(b"x", method=m, path=p) for m, p in places] == [200, 200, 200]
    assert [status(b"x", method=m, path=p, by=STRICT) for m, p in places] == [404, 405, 200]


def test_reasons_have_places_and_no_values() -> None:
    content = b'{"name": "SECRET", "age": "SECRET", "friends": [{"name": 7}]}'
    refusal = judged(content)
    assert refusal is not None
    assert {reason.at for reason in refusal.reasons} == {"/name", "/age", "/friends/0/name"}
    assert "SECRET" not in repr(refusal)
    assert len((judged(b'{"friends": [1,2,3,4,5,6,7,8,9]}') or refusal).reasons) == 5


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["rex", "Rex", "x" * 11, ""]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "age", "friends", "other"]), inner, max_size=4)
    ),
    max_leaves=12,
)
PETS = st.fixed_dictionaries({"name": st.sampled_from(["rex", "Rex"])}, optional={"age": ANY})


@given(ANY | PETS)
def test_the_verdict_is_that_of_the_schema(value: Any) -> None:
    root = {"$ref": "#/components/schemas/Pet", "components": {"schemas": {"Pet": PET}}}
    right = jsonschema_rs.Draft202012Validator(root).is_valid(value)
    assert (status(json.dumps(value).encode()) == 200) is right
