"""Shares of a rate: never more than it together, and hardly less."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.limits.rate_pool import RatePool
from pointsman.limits.rate_share import TTL_S
from pointsman.limits.server import SETTLE_S
from pointsman.limits.terms import DELAY_S
from tests.limits.fleet import Proxy

TICK = 0.05


@dataclass
class Scene:
    """A pool, its proxies, and an observer who counts what they admit."""

    rate: float
    burst: int
    order: random.Random
    now: float = 1_000.0
    proxies: dict[int, Proxy] = field(default_factory=dict)
    demand: dict[int, int] = field(default_factory=dict)
    admitted: int = 0
    room: float = 0.0
    numbers: int = 0
    strict: bool = True

    def __post_init__(self) -> None:
        burst = float(self.burst)
        self.pool = RatePool(self.rate, burst, self.now, burst, strict=self.strict)
        self.room = float(self.burst)

    def join(self) -> None:
        self.numbers += 1
        phase = self.now + self.order.random() * 5
        self.proxies[self.numbers] = Proxy(self.numbers, self.order, self.strict, next_report=phase)

    def lose(self, number: int) -> None:
        """Its stream ends, and it comes back on a new one with the same bucket."""
        proxy = self.proxies.pop(number)
        self.pool.lose(number, self.now)
        proxy.cut()
        self.numbers += 1
        proxy.number = self.numbers
        self.proxies[self.numbers] = proxy

    def kill(self, number: int) -> None:
        self.proxies.pop(number)
        self.pool.lose(number, self.now)

    def restart(self) -> None:
        """The control plane dies; another one waits out what it may have granted."""
        for number in list(self.proxies):
            self.lose(number)
        wait = self.now + TTL_S + DELAY_S
        self.pool = RatePool(self.rate, float(self.burst), self.now, not_before=wait)

    def ask(self, number: int, requests: int) -> int:
        taken = self.proxies[number].ask(requests, self.now)
        self.admitted += taken
        self.room -= taken
        assert not self.strict or self.room > -1e-6, (
            f"{-self.room:.3f} more than the rate at {self.now:.2f}"
        )
        return taken

    def tick(self) -> None:
        self.now += TICK
        self.room = min(float(self.burst), self.room + self.rate * TICK)
        for number, proxy in list(self.proxies.items()):
            for seen in proxy.tick(self.now):
                self.pool.hear(number, seen, self.now)
        for word in self.pool.plan(self.now):
            if word.proxy in self.proxies:
                self.proxies[word.proxy].send(word, self.now)

    def act(self, what: str, value: int, more: int) -> None:
        """One step of a play."""
        chosen = [*self.proxies][value % len(self.proxies)]
        if what == "pass":
            self._pass(value)
        elif what == "join" and len(self.proxies) < 6:
            self.join()
        elif what == "demand":
            self.demand[chosen] = more
        elif what == "lose":
            self.lose(chosen)
        elif what == "kill" and len(self.proxies) > 1:
            self.kill(chosen)
        elif what == "restart":
            self.restart()
        elif what == "idle":
            self.demand.clear()

    def _pass(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick()
            for number in list(self.proxies):
                # In bursts and evenly.
                most = self.demand.get(number, 5)
                if most and self.order.random() < 0.5:
                    self.ask(number, self.order.randrange(most + 1))


STEP = st.one_of(
    st.tuples(st.just("demand"), st.integers(0, 7), st.sampled_from((0, 0, 1, 30, 300))),
    st.tuples(st.just("pass"), st.sampled_from((3, 20, 130)), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from((3, 20, 130)), st.just(0)),
    st.tuples(st.just("join"), st.just(0), st.just(0)),
    st.tuples(st.sampled_from(("lose", "kill")), st.integers(0, 7), st.just(0)),
    st.tuples(st.sampled_from(("restart", "idle")), st.just(0), st.just(0)),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(STEP, min_size=5, max_size=40),
    st.sampled_from(((10.0, 10), (1.0, 3), (50.0, 1), (0.2, 40), (100.0, 100))),
    st.integers(0, 1 << 30),
)
def test_all_proxies_together_never_admit_more(
    steps: list[tuple[str, int, int]], limit: tuple[float, int], seed: int
) -> None:
    scene = Scene(*limit, random.Random(seed))
    scene.join()
    for step in steps:
        scene.act(*step)


MOVING: dict[str, Callable[[float], Sequence[float]]] = {
    "even": lambda _: (1.0, 1.0, 1.0, 1.0),
    "skewed": lambda _: (3.6, 0.2, 0.1, 0.1),
    "middling": lambda _: (2.0, 1.05, 0.5, 0.45),
    "one only": lambda _: (4.0, 0.0, 0.0, 0.0),
    "moving": lambda at: [(3.1, 0.3, 0.3, 0.3)[(i - int(at // 240)) % 4] for i in range(4)],
}


LEAST = {
    # Of small bursts little is in reach of each proxy at a moment; slow rates are seen slowly.
    (100.0, 100): dict.fromkeys(MOVING, 0.95),
    (10.0, 30): dict.fromkeys(MOVING, 0.95) | {"middling": 0.93, "moving": 0.9},
    (2.0, 120): dict.fromkeys(MOVING, 0.95) | {"moving": 0.9},
    (100.0, 10): {"even": 0.9, "skewed": 0.8, "middling": 0.8, "one only": 0.95, "moving": 0.7},
}


@pytest.mark.parametrize("shape", MOVING)
@pytest.mark.parametrize(("rate", "burst"), LEAST)
def test_steady_demand_at_twice_the_rate_gets_nearly_all_of_it(
    rate: float, burst: int, shape: str
) -> None:
    order = random.Random(7)
    scene = Scene(rate, burst, order)
    for _ in range(4):
        scene.join()
    start, length = 60.0, 360.0
    counted = 0
    while scene.now < 1_000 + start + length:
        scene.tick()
        shares = MOVING[shape](scene.now)
        for number, share in zip(list(scene.proxies), shares, strict=True):
            mean = rate * 2 * share / 4 * TICK
            # Requests come by chance.
            wanted = sum(order.random() < mean / 20 for _ in range(20))
            taken = scene.ask(number, wanted) if wanted else 0
            if scene.now >= 1_000 + start:
                counted += taken
    assert counted >= LEAST[rate, burst][shape] * rate * length


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("rate", "burst"), [(10.0, 10), (50.0, 40), (0.5, 20)])
def test_control_planes_that_come_and_go_share_a_rate(rate: float, burst: int, seed: int) -> None:
    order = random.Random(seed)
    one = Scene(rate, burst, order)
    for _ in range(3):
        one.join()
    two = Scene(rate, burst, order)
    two.join()
    two.join()
    for step in range(2_400):
        if step == 600:
            # The other one comes; this one notices within a second.
            wait = one.now + SETTLE_S
            two.now = one.now
            two.pool = RatePool(rate / 2, burst / 2, one.now, 0.0, wait)
        if step == 620:
            one.pool.resize(rate / 2, burst / 2, one.now)
        if step == 1_800:
            # It dies, and nobody hears of it until all it leased is over.
            two.proxies.clear()
        if step == 1_800 + int(SETTLE_S / TICK):
            one.pool.resize(rate, float(burst), one.now)
        scenes = (one, two) if 600 <= step < 1_800 else (one,)
        for scene in scenes:
            room = one.room
            scene.tick()
            scene.room = one.room if scene is one else room
            for number in list(scene.proxies):
                if order.random() < 0.4:
                    scene.ask(number, order.randrange(1 + int(2 + rate / 5)))
            one.room = scene.room
    # Half of it is nobody's while planes are not sure of each other.
    assert one.admitted + two.admitted > 0.6 * rate * 2_400 * TICK


@pytest.mark.parametrize("pause", [20, 95, 120, 600])
def test_who_calls_seldom_has_the_burst_and_then_the_rate(pause: float) -> None:
    scene = Scene(12 / 86_400, 12, random.Random(3), strict=False)
    scene.join()
    due, found = scene.now, []
    for _ in range(int(pause * 15 / TICK)):
        scene.tick()
        if scene.now >= due:
            found.append(scene.ask(1, 1))
            due += pause
    filled = 12 / 86_400 * pause * 15
    assert found[:10] == [1] * 10
    assert sum(found) <= 12 + filled + 1


def test_bursts_after_a_rest_are_no_way_around_a_rate() -> None:
    scene = Scene(1.0, 10, random.Random(3), strict=False)
    scene.join()
    due, start = scene.now, scene.now
    for _ in range(int(2_000 / TICK)):
        scene.tick()
        if scene.now >= due:
            scene.ask(1, 30)
        if scene.now >= due + 3:
            due += 100
    # Of each burst those pass that come before the first word, and they are paid for.
    rests = 2_000 / 100
    assert scene.admitted <= 10 + (scene.now - start) + 30 * rests * 2 * DELAY_S / TICK
    assert scene.admitted <= 10 + 1.2 * (scene.now - start)
