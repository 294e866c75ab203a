import pytest

from pointsman.xds.subscription import DeltaSubscription, StateSubscription

Step = tuple[str, str, bool, str]


# The examples of the protocol document, "How the client specifies what resources to return".
@pytest.mark.parametrize(
    ("legacy", "steps"),
    [
        (
            True,
            [("", "", True, ""), ("A", "", True, "A"), ("", "*", False, "A"), ("", "A", False, "")],
        ),
        (True, [("* A", "", True, "A"), ("", "*", False, "A")]),
        (True, [("A", "", False, "A"), ("", "A", False, ""), ("", "", False, "")]),
        (True, [("A", "", False, "A"), ("*", "", True, "A"), ("", "A", True, "")]),
        (True, [("", "", True, ""), ("", "*", False, ""), ("", "", False, "")]),
        (False, [("", "", False, ""), ("A", "", False, "A")]),
        (False, [("*", "", True, "")]),
    ],
)
def test_incremental_requests_add_and_take_away(legacy: bool, steps: list[Step]) -> None:
    subscription = DeltaSubscription(legacy_wildcard=legacy)
    for subscribe, unsubscribe, wildcard, names in steps:
        subscription.update(subscribe.split(), unsubscribe.split())
        assert (subscription.wildcard, subscription.names) == (wildcard, set(names.split()))


@pytest.mark.parametrize(
    ("legacy", "steps"),
    [
        (True, [("", True, ""), ("* A", True, "A"), ("A", False, "A"), ("", False, "")]),
        (True, [("A", False, "A"), ("", False, "")]),
        (True, [("", True, ""), ("", True, "")]),
        (False, [("", False, ""), ("A", False, "A"), ("A B", False, "A B"), ("B", False, "B")]),
    ],
)
def test_state_of_the_world_requests_repeat_all_names(
    legacy: bool, steps: list[tuple[str, bool, str]]
) -> None:
    subscription = StateSubscription(legacy_wildcard=legacy)
    for request, wildcard, names in steps:
        subscription.update(request.split())
        assert (subscription.wildcard, subscription.names) == (wildcard, set(names.split()))


def test_a_name_given_up_under_the_wildcard_is_to_be_answered() -> None:
    subscription = DeltaSubscription(legacy_wildcard=True)
    subscription.update([], [])
    subscription.update(["A"], [])
    change = subscription.update([], ["A"])
    assert (change.send, change.dropped) == (frozenset({"A"}), frozenset())


def test_a_name_subscribed_again_is_to_be_answered_again() -> None:
    subscription = DeltaSubscription(legacy_wildcard=False)
    assert subscription.update(["A"], []).send == {"A"}
    assert subscription.update(["A"], []).send == {"A"}
