"""Rollouts of a running instance: looks at each in time, and has its split compiled in.

The machine in `rollout` decides; here are the clock, the counts, the questions to others and the
database. What comes out of a look is kept before it comes into force, so that a restart finds at
least what proxies were told.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import structlog

from pointsman.aio.endless import endless
from pointsman.app.access import AccessState
from pointsman.app.rollout_acks import Acknowledgements, OwnProxies
from pointsman.app.rollout_calls import ask_hooks, query_values, tell
from pointsman.app.rollout_running import Running, running
from pointsman.app.rollout_served import ServedSplits, Splits
from pointsman.app.rollout_states import RolloutStates
from pointsman.app.rollout_store import opened_store
from pointsman.errors import StateError, UsageError
from pointsman.graph.rollout_target import Hold, holds_of
from pointsman.resources.codes import delivery
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.rollout.commands import Command, obey
from pointsman.rollout.elsewhere import HEAR_S, LATER_S, Elsewhere
from pointsman.rollout.inputs import Counted, Inputs, Question, Ready, Step
from pointsman.rollout.lead import ASK_S, Lead
from pointsman.rollout.machine import step
from pointsman.rollout.measures import Measures, Sample
from pointsman.rollout.plan import Manner
from pointsman.rollout.split import overlaid
from pointsman.rollout.state import Phase, State
from pointsman.rollout.store import RolloutStore
from pointsman.rollout.verdict import Interval
from pointsman.rollout.view import RolloutView, view

log = structlog.get_logger(__name__)

PAUSE_S: Final = 0.2
"""Seconds between two looks at whether one is due."""
_ENDING_S: Final = 2.0
"""Seconds that a look and what is told get at the end."""


class Rollouts:
    """Carries rollouts out.

    Args:
        access: has the database.
        measures: counts requests.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        access: AccessState,
        measures: Measures,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._access = access
        self._keeps = access.options is not None
        self._measures = Elsewhere(measures)
        self._clock = clock
        self._running: dict[Key, Running] = {}
        self._states = RolloutStates(lambda: self._store)
        self._served = ServedSplits()
        self._looking = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._change: Callable[[Mapping[str, str | None]], Awaitable[None]] | None = None
        self._has_all: Callable[[Hold], Awaitable[bool]] | None = None
        self._own: OwnProxies | None = None
        self._task: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._saying: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self._told: set[Key] = set()
        self._stopping = asyncio.Event()
        self._lead = Lead(lambda: self._store)
        self._acks = Acknowledgements(lambda: self._store, self._lead.me)
        self._here: set[Key] = set()
        self._follows = True
        self._term = 0
        self._followed_at = self._mended_at = 0.0

    @cached_property
    def _store(self) -> RolloutStore:
        return opened_store(self._access)

    def on_change(
        self,
        change: Callable[[Mapping[str, str | None]], Awaitable[None]],
        has_all: Callable[[Hold], Awaitable[bool]],
    ) -> None:
        """Has `change` compile what is in force, and `has_all` tell whether all proxies have it."""
        self._change, self._has_all, self._own = change, has_all, OwnProxies(has_all)

    async def overlay(self, resources: ResourceSet) -> ResourceSet:
        """What was written, with the splits of rollouts in it; files stay as they are."""
        holds = {k: hold for k, hold in holds_of(resources).items() if isinstance(hold, Hold)}
        here = {*resources.of("Canary"), *resources.of("Rollout")}
        gone, self._here = self._here - here, here
        self._running = {key: running(resources, key, hold) for key, hold in holds.items()}
        if holds or gone:
            await self._states.loaded()
            for key in gone:
                await self._states.forget(key, written=not self._follows)
        self._served.overlay(self._splits())
        return overlaid(resources, self._served.overlaid) if holds or gone else resources

    def served(self) -> None:
        """Proxies are given what was overlaid last."""
        changed = self._served.served()
        if self._own is not None:
            self._own.forget(changed)

    def problems(self) -> Iterator[Problem]:
        """What holds weights, and what keeps rollouts from being kept."""
        for key, item in self._running.items():
            state = self._state(key, item)
            split = f"{100 - state.weight}/{state.weight}, {state.phase}"
            message = f"{key} holds the weights of {item.hold.key}: {split}"
            yield Problem(delivery.HOLDS, message, "", item.hold.key)
        if self._running and self._lead.other:
            yield Problem(delivery.FOLLOWS, f"{self._lead.other} carries rollouts out")
        failure = self._states.failure
        if self._running and (failure or not self._keeps):
            yield Problem(delivery.FORGETFUL, failure or "this instance keeps no state")

    def views(self) -> list[RolloutView]:
        """How each rollout is doing."""
        return [
            view(key, item.plan, item.hold, self._state(key, item))
            for key, item in sorted(self._running.items())
        ]

    async def events(self, rollout: Key, limit: int) -> Sequence[Mapping[str, Any]]:
        """The newest events of a rollout, the newest first.

        Raises:
            StateError: the database does not answer.
        """
        return await self._store.events(rollout, limit)

    async def tell(self, rollout: Key, command: Command, weight: int) -> None:
        """Does what somebody wants.

        Raises:
            UsageError: there is no such rollout, or the command makes no sense now.
        """
        async with self._looking:
            item = self._running.get(rollout)
            if item is None:
                raise UsageError(f"no {rollout} is carried out here")
            known = await self._states.loaded()
            leads = known and await self._leads()
            failure = self._states.failure
            if not known or (failure and not leads):
                raise UsageError(f"what {rollout} has done cannot be read: {failure}")
            if not leads:
                raise UsageError(f"{self._lead.other} carries rollouts out", hint="tell that one")
            state = self._state(rollout, item)
            now = self._clock()
            made = obey(item.plan, state, command, item.revision, now, weight)
            await self._take(rollout, item, state, made)
            self._told.add(rollout)

    async def close(self) -> None:
        """Ends what looks: what is being kept or told may be finished, but not for long."""
        self._stopping.set()
        own = (self._task, self._renewing, self._saying, *self._telling)
        tasks = {task for task in own if task is not None}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_ENDING_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._own is not None:
            await self._own.close()
        # What was decided while somebody else could decide is not written any more.
        last = (self._states.catch_up,) if self._lead.mine else ()
        for leaving in (*last, self._acks.leave, self._lead.leave):
            with contextlib.suppress(StateError, TimeoutError):
                async with asyncio.timeout(_ENDING_S):
                    await leaving()

    def begin(self) -> None:
        """Begins to look, once proxies can be told and if there is anything to look at."""
        if self._running and self._task is None:
            self._task = asyncio.create_task(endless(self._run, "rollouts"), name="rollouts")
            self._renewing = asyncio.create_task(endless(self._renew, "lease"), name="lease")
            self._saying = asyncio.create_task(endless(self._say, "splits"), name="splits")

    async def _renew(self) -> None:
        """Keeps the lease and listens to others, or tells them, however long a look takes."""
        while await self._pause(HEAR_S):
            with contextlib.suppress(StateError):
                if await self._lead.ask():
                    self._measures.hear(await self._store.hear(), self._clock())
                else:
                    await self._tell_others(self._clock())

    async def _say(self) -> None:
        """Whoever carries rollouts out is told what all own proxies have."""
        while await self._pause(HEAR_S):
            if self._lead.other:
                said = {key: self._had(key, item) for key, item in self._running.items()}
                with contextlib.suppress(StateError):
                    await self._acks.say(said)

    def _had(self, key: Key, item: Running) -> str | None:
        """The split that all own proxies have; None while they have another one."""
        state = self._states.of(key)
        wanted = item.hold, item.split(state)
        if not item.is_about(state) or not self._served.has(key, wanted):
            return None
        assert self._own is not None
        return state.split if self._own.have(key, *wanted) else None

    async def _tell_others(self, now: float) -> None:
        """Whoever carries rollouts out is told what is to be judged."""
        moving = (item for key, item in self._running.items() if self._states.of(key).is_moving)
        subjects = {subject for item in moving for subject in item.subjects}
        untold = self._measures.untold(subjects, now)
        if untold is not None:
            if untold:
                await self._store.tell(untold)
            self._measures.told(now)

    async def _pause(self, seconds: float) -> bool:
        """Waits; whether to go on then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return not self._stopping.is_set()

    async def _run(self) -> None:
        while await self._pause(PAUSE_S):
            if await self._late() or not await self._leads():
                continue
            async with self._looking:
                await self._mend()
            for key in tuple(self._running):
                async with self._looking:
                    item = self._running.get(key)
                    if item is None:
                        continue
                    state = self._state(key, item)
                    late = self._measures.late_s + (LATER_S if self._acks.others else 0.0)
                    if item.is_due(state, self._clock(), late) or key in self._told:
                        self._told.discard(key)
                        await self._look(key, item, state)

    async def _leads(self) -> bool:
        """Whether this control plane carries rollouts out; else it has what another one decides."""
        # What was read must not take the place of what has been decided since.
        async with self._reading:
            return await self._follow()

    async def _follow(self) -> bool:
        try:
            mine, term = await self._lead.ask(), self._lead.term
            now = self._clock()
            if mine and not self._follows and self._term == term:
                return True
            if not mine and now - self._followed_at < ASK_S:
                return False
            # What another one has kept since; it is read once more by who takes over.
            found = await self._store.load()
        except StateError as error:
            self._states.failure = str(error)
            if self._states.known is not None:
                await self._publish()
            return False
        self._follows, self._followed_at, self._term = not mine, now, term
        self._states.take(
            {key: state.known_at(now) if mine else state for key, state in found.items()}
        )
        await self._publish()
        return mine

    async def _mend(self) -> None:
        """What could not be written or published is tried again."""
        now = self._clock()
        if abs(now - self._mended_at) >= HEAR_S:
            self._mended_at = now
            await self._states.catch_up()
            await self._publish()

    async def _publish(self) -> None:
        """Has what is decided compiled and given to proxies, unless it is already."""
        if self._served.asks_for(self._splits()):
            assert self._change is not None
            await self._change({})

    def _state(self, key: Key, item: Running) -> State:
        """From where a look or a command goes on."""
        return item.taken_up(self._states.of(key))

    def _splits(self) -> Splits:
        """What is decided, by rollout."""
        known = self._states.known or {}
        return {
            key: (item.hold, item.split(known[key]))
            for key, item in self._running.items()
            if key in known
        }

    async def _late(self) -> bool:
        """Whether nobody knows yet how far rollouts are; what was kept counts from here on."""
        if self._states.known is not None:
            return False
        async with self._looking:
            known = await self._states.loaded()
        if known:
            await self._publish()
        return not known

    async def _look(self, key: Key, item: Running, state: State) -> None:
        """One look, with all that it asks."""
        waiting = state.phase is Phase.PROMOTING and item.plan.manner is Manner.FLAGGER
        inputs = Inputs(
            item.revision,
            acknowledged=await self._taken(key, item, state, patient=False),
            stable=Ready.NOT_YET if waiting and not state.carried else Ready.YES,
        )
        now = self._clock()
        while isinstance(made := step(item.plan, state, inputs, now), Question):
            if made.hook is None:
                inputs = replace(inputs, counted=await self._count(item, state, now))
            else:
                answer = await ask_hooks(item.plan, made.hook, key, state, item.revision)
                inputs = replace(inputs, answers={**inputs.answers, made.hook: answer})
        # What others are asked may take longer than the lease is good for without the database.
        if await self._leads() and self._state(key, item) == state:
            await self._take(key, item, state, made)

    async def _count(self, item: Running, state: State, now: float) -> Counted:
        since = max(state.looked_at, state.stage_at) or now - item.plan.interval_s
        criteria = item.plan.criteria
        ours, theirs = (self._measures.measure(each, since, now) for each in item.subjects)
        candidate, stable = ours or Sample(), theirs or Sample()
        slow = 0 if criteria.latency_ms is None else candidate.slower(criteria.latency_ms)
        interval = Interval(
            requests=candidate.requests,
            failed=candidate.failures,
            slow=slow,
            stable=stable.requests,
            stable_failed=stable.failures,
            known=ours is not None,
        )
        # Once it is rolled back, only harm is counted.
        asks = criteria.queries and state.phase is not Phase.FAILED
        return Counted(interval, await query_values(criteria.queries) if asks else {})

    async def _take(self, key: Key, item: Running, before: State, made: Step) -> None:
        """Keeps what a look or a command leads to, and brings it into force."""
        state = made.state
        if key not in self._running or (state == self._states.of(key) and not made.events):
            return
        await self._states.keep(key, state, made.events)
        for event in made.events:
            log.info("rollout", rollout=str(key), phase=str(event.phase), text=event.text)
            self._tell(tell(item.plan, key, event))
        if item.split(before) == item.split(state):
            return
        await self._publish()
        taken = await self._taken(key, item, state, patient=True)
        # Meanwhile somebody else may have taken over.
        if taken and await self._leads() and self._states.of(key) is state:
            # Counts of the new split begin where the last proxy has it; what failed meanwhile is
            # no part of a verdict, but harm all the same.
            now = self._clock()
            harmed = state.harmed + self._failed(item, before, state.looked_at, now)
            await self._states.keep(key, replace(state, stage_at=now, harmed=harmed))

    def _failed(self, item: Running, state: State, since: float, until: float) -> int:
        """Requests that failed at the candidate; copies harm nobody."""
        candidate, _ = item.subjects
        found = None if state.mirror else self._measures.measure(candidate, since, until)
        return found.failures if found else 0

    def _tell(self, telling: Awaitable[None]) -> None:
        task = asyncio.ensure_future(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _taken(self, key: Key, item: Running, state: State, *, patient: bool) -> bool:
        """Whether all proxies have the weights, those of other control planes included."""
        assert self._has_all is not None
        wanted = item.hold, item.split(state)
        if not self._served.has(key, wanted) or not await self._has_all(item.hold):
            return False
        try:
            return await self._acks.elsewhere(key, state.split, patient=patient)
        except StateError:
            # Others cannot have read it either; where nobody else has the database, all have it.
            return not self._store.is_shared
