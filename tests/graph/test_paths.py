import pytest

from pointsman.graph.paths import climbs, normalize, replace_prefix


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/", "/"),
        ("/a//b///c", "/a/b/c"),
        ("///", "//"),
        ("/a/./b/../c", "/a/c"),
        ("/a/..", "/"),
        ("/../a", "/a"),
        ("/%41%2e%2E", "/A.."),
        ("/%2e%2e/a", "/a"),
        ("/a%2fb", "/a%2fb"),
        ("/a\\b", "/a/b"),
        ("/%4%41", "/%254A"),
        ("/a/..;p/b", "/b"),
        ('/"', "/%22"),
        ("/a%00", None),
        ("/a#b", None),
        ("a", None),
        ("", None),
    ],
)
def test_normal_paths(path: str, normal: str | None) -> None:
    assert normalize(path) == normal


@pytest.mark.parametrize(
    ("path", "prefix", "value", "rewritten"),
    [
        ("/chapter/page", "/chapter", "/", "/page"),
        ("/chapter", "/chapter", "/", "/"),
        ("/chapter1", "/chapter", "/", "/1"),
        ("/a/b", "/a/", "/new/", "/new/b"),
        ("/a/b", "/a", "/new/", "/new/b"),
        ("/a/b", "/a", "/new", "/new/b"),
        ("//", "/", "/v/", "/v//"),
    ],
)
def test_a_prefix_is_replaced_with_one_slash_between(
    path: str, prefix: str, value: str, rewritten: str
) -> None:
    assert replace_prefix(path, prefix, value) == rewritten


@pytest.mark.parametrize(
    ("path", "answer"),
    [("/x../a", True), ("/x.", True), ("/x..;a", True), ("/x.a", True), ("/x/..a", False)],
)
def test_climbing(path: str, answer: bool) -> None:
    assert climbs(path, "/x", "/") is answer
    assert not climbs(path, "/x", "/y")
