"""Places of a drawn graph: nothing lies on anything else, and links go from left to right."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pointsman.observe.layers import layers

VERTICES = st.integers(1, 12)


@st.composite
def graphs(draw: st.DrawFn, *, circles: bool) -> tuple[list[int], list[tuple[int, int]]]:
    count = draw(VERTICES)
    ends = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=30))
    if not circles:
        pairs = [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]
    order = draw(st.permutations(range(count)))
    return list(order), pairs


@given(graphs(circles=True))
def test_everything_has_a_place_of_its_own(graph: tuple[list[int], list[tuple[int, int]]]) -> None:
    vertices, links = graph
    found = layers(vertices, links)
    assert found == layers(vertices, links)
    assert set(found.places) == set(vertices)
    assert len(set(found.places.values())) == len(vertices)
    assert set(found.ways) == {link for link in links if link[0] != link[1]}
    for (source, target), way in found.ways.items():
        assert (way[0], way[-1]) == (found.places[source], found.places[target])
        steps = {after[0] - before[0] for before, after in pairwise(way)}
        assert steps in ({1}, {-1})
        passed = way[1:-1]
        assert not set(passed) & set(found.places.values())
    for column, row in found.places.values():
        assert 0 <= column < found.columns
        assert 0 <= row <= found.rows - 1


@given(graphs(circles=False))
def test_without_circles_all_links_go_right(graph: tuple[list[int], list[tuple[int, int]]]) -> None:
    vertices, links = graph
    found = layers(vertices, links)
    for source, target in links:
        assert found.places[source][0] < found.places[target][0]


def test_only_what_closes_a_circle_goes_back() -> None:
    found = layers("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    assert [found.places[vertex][0] for vertex in "abc"] == [0, 1, 2]
    assert [spot[0] for spot in found.ways["c", "a"]] == [2, 1, 0]


def test_crossed_links_are_uncrossed() -> None:
    found = layers(["a", "b", "y", "x"], [("a", "x"), ("b", "y")])
    assert found.places["x"][1] < found.places["y"][1]


def test_nothing_is_drawn_of_nothing() -> None:
    assert layers([], []).columns == 0
