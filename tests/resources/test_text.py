import pytest

from pointsman.resources.documents import split
from pointsman.resources.origin import Origin
from pointsman.resources.position import position
from pointsman.resources.text import MAX_DEPTH, UnreadableError, read
from pointsman.resources.variables import fill


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("~", None),
        ("NULL", None),
        ("12", 12),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("010", 10),
        ("1_000", "1_000"),
        ("1:20", "1:20"),
        ("2001-01-01", "2001-01-01"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("1.2.3", "1.2.3"),
        ("-", [None]),
        ("9" * 5000, "9" * 5000),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("{a: , b: null, c: 1}", {"c": 1}),
        ("[a, null]", ["a", None]),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}}),
        ("12: a\ntrue: b", {"12": "a", "true": "b"}),
        ('{"a": [1, {"b": null}]}', {"a": [1, {}]}),
    ],
)
def test_values_follow_the_core_schema(text: str, value: object) -> None:
    tree = read(text)
    assert tree.faults == ()
    assert tree.value == value
    assert type(tree.value) is type(value)


@pytest.mark.parametrize(
    "text", ["!!binary aGk=", "!!timestamp 2001-01-01", "!!int x", "!x {a: 1}"]
)
def test_tags_are_refused(text: str) -> None:
    assert [fault.code.id for fault in read(text).faults] == ["PM103"]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000, "? " * 100_000])
def test_deep_nesting_is_refused_and_does_not_overflow_the_stack(text: str) -> None:
    with pytest.raises(UnreadableError, match=f"more than {MAX_DEPTH} levels"):
        read(text)


def test_aliases_cannot_blow_a_document_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert [fault.code.id for fault in read("\n".join(lines)).faults] == ["PM103"]


def test_bytes_that_are_not_utf8_are_found() -> None:
    text = b"a: fine\nb: caf\xe9\n".decode("utf-8", "surrogateescape")
    with pytest.raises(UnreadableError) as caught:
        read(text)
    fault = caught.value.fault
    assert (fault.code.id, fault.line, fault.column) == ("PM104", 2, 7)
    assert "0xE9" in fault.message


def test_split_finds_documents_and_their_lines() -> None:
    text = (
        "# head\n%YAML 1.2\n---\na: 1\n--- # second\nb: |\n  ---\n ---\n...\n# nothing\n---\n"
        "--- {c: 1}\n---not a marker: 1\n---\r\nd: 1\r\n"
    )
    found = [(document.line, document.text) for document in split(text)]
    assert found == [
        (4, "a: 1\n"),
        (6, "b: |\n  ---\n ---\n"),
        (12, "--- {c: 1}\n---not a marker: 1\n"),
        (15, "d: 1\r\n"),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "---", "---\n---\n...", "# only\n  # comments\n"])
def test_split_finds_nothing(text: str) -> None:
    assert list(split(text)) == []


def test_fill_replaces_one_form_only() -> None:
    text = "a: ${NAME}-${NAME}\nb: $NAME ${} ${1} %${GONE}%${GONE}"
    filled, unset = fill(text, {"NAME": "x"})
    assert filled == "a: x-x\nb: $NAME ${} ${1} %%"
    assert [(u.name, u.line, u.column) for u in unset] == [("GONE", 2, 20)]
    assert fill("plain", {})[0] is fill("plain", {})[0]


DOCUMENT = """\
# comment
spec:
  base: &base {port: 1}
  listeners:
    - portMapping:
        port: 8080
    - {<<: *base,
       name: x}
"""


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ((), (11, 1)),
        (("spec",), (11, 1)),
        (("spec", "listeners", 0), (14, 7)),
        (("spec", "listeners", 0, "portMapping", "port"), (15, 9)),
        (("spec", "listeners", 0, "portMapping", "gone", 3), (14, 7)),
        (("spec", "listeners", 1, "name"), (17, 8)),
        (("spec", "listeners", 1, "port"), (12, 16)),
        (("spec", "listeners", 9), (13, 3)),
        (("gone",), (11, 1)),
    ],
)
def test_position_is_that_of_the_longest_part_that_exists(
    path: tuple[str | int, ...], at: tuple[int, int]
) -> None:
    assert position(Origin("a.yaml", 10, DOCUMENT), path) == at


def test_position_inside_a_list() -> None:
    origin = Origin("a.yaml", 1, "items:\n- kind: A\n- kind: B\n  spec: {}\n", ("items", 1))
    assert position(origin, ("spec", "x")) == (4, 3)
    assert position(origin, ()) == (3, 3)
