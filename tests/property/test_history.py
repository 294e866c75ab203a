"""Revisions of manifests: what counts is what was asked for, and nothing is lost meanwhile."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pointsman.control.history import MOST, History
from pointsman.errors import RefusedError

EDITS = st.dictionaries(
    st.sampled_from(["a.yaml", "b.yaml"]), st.sampled_from(["1", "2", None]), min_size=1
)


class Editing(RuleBasedStateMachine):
    """Files that are edited, somebody who goes back and forth, and what was made live of it."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.history.begin({"a.yaml": "0"}, 0.0)
        self.files = {"a.yaml": "0"}
        self.live = {"a.yaml": "0"}
        self.seen = {1: dict(self.live)}

    def apply(self, texts: dict[str, str], changes: dict[str, str | None]) -> None:
        for source, text in changes.items():
            if text is None:
                texts.pop(source, None)
            else:
                texts[source] = text

    def took(self, changes: dict[str, str | None]) -> None:
        self.apply(self.live, changes)
        self.seen.setdefault(self.history.current.number, dict(self.live))

    @rule(changes=EDITS)
    def edit(self, changes: dict[str, str | None]) -> None:
        self.apply(self.files, changes)
        self.took(dict(self.history.edited(changes, 0.0)))

    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.seen)))
        if self.seen[number] == self.live:
            with pytest.raises(RefusedError, match="says what is in force"):
                self.history.go_back(number, 0.0, "eve")
            return
        self.took(dict(self.history.go_back(number, 0.0, "eve")))
        assert self.live == self.seen[number]
        assert self.history.held

    @precondition(lambda self: self.history.held)
    @rule()
    def release(self) -> None:
        self.took(dict(self.history.release(0.0, "eve")))
        assert not self.history.held

    @invariant()
    def what_counts_is_what_is_live(self) -> None:
        assert self.history.current.texts == self.live
        if not self.history.held:
            assert self.live == self.files
            assert self.history.problems() == ()

    @invariant()
    def what_waits_is_told(self) -> None:
        names = self.live.keys() | self.files.keys()
        waiting = {name for name in names if self.live.get(name) != self.files.get(name)}
        assert set(self.history.waiting) == waiting


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_revisions_are_bounded_and_old_ones_are_told_to_be_gone() -> None:
    history = History()
    history.begin({}, 0.0)
    for index in range(2 * MOST):
        history.edited({"a.yaml": str(index)}, 0.0)
    assert len(history.revisions) == MOST
    with pytest.raises(RefusedError, match="there is no revision 1: 52 to 101 are known"):
        history.go_back(1, 0.0, "eve")


def test_large_manifests_are_remembered_for_a_shorter_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.control.history.MOST_CHARACTERS", 1_000)
    history = History()
    same = "s" * 300
    history.begin({"same.yaml": same}, 0.0)
    for index in range(10):
        history.edited({"a.yaml": str(index) * 300}, 0.0)
    assert [item.texts["a.yaml"][0] for item in history.revisions] == ["8", "9"]


def test_what_changes_nothing_is_no_revision() -> None:
    history = History()
    history.begin({"a.yaml": "1"}, 0.0)
    history.edited({"a.yaml": "1", "b.yaml": None}, 0.0)
    assert len(history.revisions) == 1
    with pytest.raises(RefusedError, match="no revision is held"):
        history.release(0.0, "eve")
