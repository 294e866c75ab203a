"""What proxies of other control planes did counts where rollouts are carried out."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from pointsman.resources.key import Key
from pointsman.rollout.elsewhere import HEAR_S, KEPT_S, TELL_S, Elsewhere, Reading
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


def test_each_request_is_told_once() -> None:
    follower = Elsewhere(Told())
    assert follower.tell([GOOD, BAD], NOW) == (), "what was before is not for others"
    assert follower.tell([GOOD, BAD], NOW + TELL_S - 0.1) == ()
    told = [*follower.tell([GOOD, BAD], NOW + TELL_S), *follower.tell([GOOD], NOW + 3 * TELL_S)]
    assert told == [Reading(GOOD, Sample(5)), Reading(GOOD, Sample(10))]
    follower.hear([], NOW + 100)
    assert follower.tell([GOOD], NOW + 105) == (), "meanwhile it was the one that hears"


def test_what_is_heard_counts_from_then_on_and_once() -> None:
    leader = Elsewhere(Told())
    assert leader.late_s == 11
    leader.hear([Reading(BAD, Sample(7, 3)), Reading(GOOD, Sample(2))], NOW + 10)
    assert leader.late_s == 11 + TELL_S + HEAR_S
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


@given(LATENCIES, LATENCIES)
def test_other_buckets_never_make_requests_look_faster(some: list[int], more: list[int]) -> None:
    both = sample(some) + sample(more, (2.0, 20.0))
    for than_ms in BOUNDS:
        assert both.slower(than_ms) >= sample(some + more).slower(than_ms)
