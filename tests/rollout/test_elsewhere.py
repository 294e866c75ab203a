"""What proxies of other control planes did counts where rollouts are carried out."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from pointsman.resources.key import Key
from pointsman.rollout.elsewhere import KEPT_S, TELL_S, Elsewhere, Reading
from pointsman.rollout.measures import Sample, Subject

ROUTER = Key("VirtualRouter", "shop", "cart")
GOOD, BAD = (
    Subject(Key("VirtualNode", "shop", name), ROUTER, "all") for name in ("cart", "cart-next")
)
NOW = 1_000_000.0


@dataclass
class Told:
    """Proxies answered a request a second since `NOW`, of one subject."""

    subject: Subject = GOOD
    late_s: float = 11.0
    asked: list[tuple[float, float]] = field(default_factory=list)

    def measure(self, subject: Subject, since: float, until: float) -> Sample | None:
        self.asked.append((since, until))
        return Sample(round(until - since)) if subject == self.subject else None


def tells(follower: Elsewhere, now: float) -> tuple[Reading, ...] | None:
    """What is told, if it is time."""
    found = follower.untold([GOOD, BAD], now)
    if found is not None:
        follower.told(now)
    return None if found is None else tuple(found)


def test_each_request_is_told_once() -> None:
    follower = Elsewhere(Told())
    assert tells(follower, NOW) is None, "what was before is not for others"
    assert tells(follower, NOW + TELL_S - 0.1) is None
    assert tells(follower, NOW + TELL_S) == (Reading(GOOD, Sample(5)),)
    assert tells(follower, NOW + 3 * TELL_S) == (Reading(GOOD, Sample(10)),)


def test_what_could_not_be_told_is_told_later() -> None:
    follower = Elsewhere(Told())
    tells(follower, NOW)
    assert follower.untold([GOOD], NOW + 5) == (Reading(GOOD, Sample(5)),)
    assert follower.untold([GOOD], NOW + 7) == (Reading(GOOD, Sample(7)),)


def test_who_takes_over_counts_each_request_once() -> None:
    """What it has told nobody has heard yet, so it hears that itself."""
    told = Elsewhere(Told())
    tells(told, NOW)
    readings = tells(told, NOW + 5)
    assert readings is not None
    told.hear(readings, NOW + 8)
    assert told.measure(GOOD, NOW, NOW + 9) == Sample(9)
    assert told.measure(GOOD, NOW + 9, NOW + 12) == Sample(3)
    assert tells(told, NOW + 12) is None, "the next one leads, and is told of what is from now on"
    assert tells(told, NOW + 17) == (Reading(GOOD, Sample(5)),)


def test_what_is_heard_counts_from_then_on_and_once() -> None:
    leader = Elsewhere(Told())
    assert leader.late_s == 11, "one that knows of others adds to it"
    leader.hear([Reading(BAD, Sample(7, 3)), Reading(GOOD, Sample(2))], NOW + 10)
    assert leader.measure(BAD, NOW, NOW + 10) is None
    assert leader.measure(BAD, NOW + 10, NOW + 20) == Sample(7, 3)
    assert leader.measure(BAD, NOW + 20, NOW + 30) is None
    assert leader.measure(GOOD, NOW + 10, NOW + 20) == Sample(10 + 2)
    leader.hear([], NOW + 11 + KEPT_S)
    assert leader.measure(BAD, NOW, NOW + 20) is None


def test_a_reading_is_what_it_was_when_it_was_kept() -> None:
    reading = Reading(BAD, Sample(7, 3, ((1.0, 2), (5.0, 6))))
    assert Reading.read(reading.json()) == reading


LATENCIES = st.lists(st.integers(0, 50), max_size=40)
BOUNDS = (1.0, 5.0, 10.0, 30.0)


def sample(times: list[int], bounds: tuple[float, ...] = BOUNDS) -> Sample:
    within = tuple((bound, sum(time <= bound for time in times)) for bound in bounds)
    return Sample(len(times), sum(times) % (len(times) + 1), within if times else ())


@given(LATENCIES, LATENCIES)
def test_samples_add_up_as_if_they_were_one(some: list[int], more: list[int]) -> None:
    both = sample(some) + sample(more)
    assert both.requests == len(some + more)
    assert both.failures == sample(some).failures + sample(more).failures
    for than_ms in (*BOUNDS, 4.0, 100.0):
        assert both.slower(than_ms) == sample(some + more).slower(than_ms)


@given(LATENCIES)
def test_a_brief_sample_says_the_same(some: list[int]) -> None:
    for than_ms in (*BOUNDS, 0.5, 4.0, 100.0):
        assert sample(some).brief().slower(than_ms) == sample(some).slower(than_ms)
    assert len(sample(some).brief().latencies) <= len(set(some))


@given(LATENCIES, LATENCIES)
def test_other_buckets_never_make_requests_look_faster(some: list[int], more: list[int]) -> None:
    both = sample(some) + sample(more, (2.0, 20.0))
    for than_ms in BOUNDS:
        assert both.slower(than_ms) >= sample(some + more).slower(than_ms)
