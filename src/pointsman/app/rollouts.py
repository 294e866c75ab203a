"""Rollouts of a running instance: looks at each in time, and has its split compiled in.

The machine in `rollout` decides; here are the clock, the counts, the questions to others and the
database. What comes out of a look is kept before it comes into force, so that a restart finds at
least what proxies were told.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import structlog

from pointsman.aio.endless import endless
from pointsman.app.access import AccessState
from pointsman.app.rollout_acks import Acknowledgements
from pointsman.app.rollout_calls import ask_hooks, query_values, tell
from pointsman.app.rollout_running import Running, running
from pointsman.app.rollout_store import opened_store
from pointsman.errors import StateError, UsageError
from pointsman.graph.rollout_target import Hold, holds_of
from pointsman.resources.codes import delivery
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.rollout.commands import Command, obey
from pointsman.rollout.elsewhere import HEAR_S, Elsewhere
from pointsman.rollout.inputs import Counted, Inputs, Question, Ready, Step
from pointsman.rollout.lead import ASK_S, Lead
from pointsman.rollout.machine import step
from pointsman.rollout.measures import Measures, Sample
from pointsman.rollout.plan import Manner
from pointsman.rollout.split import Split, overlaid
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
        self._states: dict[Key, State] | None = None
        self._looking = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._change: Callable[[Mapping[str, str | None]], Awaitable[None]] | None = None
        self._has_all: Callable[[Hold], Awaitable[bool]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._saying: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self._told: set[Key] = set()
        self._stopping = asyncio.Event()
        self._lead = Lead(lambda: self._store)
        self._acks = Acknowledgements(lambda: self._store, self._lead.me)
        self._follows = True
        self._followed_at = 0.0
        self._failure = ""

    @cached_property
    def _store(self) -> RolloutStore:
        return opened_store(self._access)

    def on_change(
        self,
        change: Callable[[Mapping[str, str | None]], Awaitable[None]],
        has_all: Callable[[Hold], Awaitable[bool]],
    ) -> None:
        """Has `change` compile what is in force, and `has_all` tell whether all proxies have it."""
        self._change, self._has_all = change, has_all

    async def overlay(self, resources: ResourceSet) -> ResourceSet:
        """What was written, with the splits of rollouts in it; files stay as they are."""
        holds = {k: hold for k, hold in holds_of(resources).items() if isinstance(hold, Hold)}
        gone = self._running.keys() - resources.of("Canary").keys() - resources.of("Rollout").keys()
        self._running = {key: running(resources, key, hold) for key, hold in holds.items()}
        if holds or gone:
            await self._loaded()
            await self._forget(gone)
            return overlaid(resources, self._splits())
        return resources

    def problems(self) -> Iterator[Problem]:
        """What holds weights, and what keeps rollouts from being kept."""
        for key, item in self._running.items():
            state = (self._states or {}).get(key, State())
            split = f"{100 - state.weight}/{state.weight}, {state.phase}"
            message = f"{key} holds the weights of {item.hold.key}: {split}"
            yield Problem(delivery.HOLDS, message, "", item.hold.key)
        if self._running and self._lead.other:
            yield Problem(delivery.FOLLOWS, f"{self._lead.other} carries rollouts out")
        if self._running and (self._failure or not self._keeps):
            yield Problem(delivery.FORGETFUL, self._failure or "this instance keeps no state")

    def views(self) -> list[RolloutView]:
        """How each rollout is doing."""
        states = self._states or {}
        return [
            view(key, item.plan, item.hold, states.get(key, State()))
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
            states = await self._loaded()
            leads = states is not None and await self._leads()
            if states is None or (self._failure and not leads):
                raise UsageError(f"what {rollout} has done cannot be read: {self._failure}")
            if not leads:
                raise UsageError(f"{self._lead.other} carries rollouts out", hint="tell that one")
            state = (self._states or {}).get(rollout, State())
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
        with contextlib.suppress(StateError):
            await self._acks.leave()
        await self._lead.leave()

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
                # What was read is compiled before others may read what there is.
                async with self._reading:
                    running, states = dict(self._running), dict(self._states or {})
                found = ((item, states.get(key, State())) for key, item in running.items())
                splits = await asyncio.gather(*(self._own(*pair) for pair in found))
                with contextlib.suppress(StateError):
                    await self._acks.say(dict(zip(running, splits, strict=True)))

    async def _own(self, item: Running, state: State) -> str | None:
        """The split that all own proxies have; None while some have not answered."""
        assert self._has_all is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEAR_S):
                if not state.is_moving or await self._has_all(item.hold):
                    return state.split
        return None

    async def _tell_others(self, now: float) -> None:
        """Whoever carries rollouts out is told what is to be judged."""
        states = self._states or {}
        moving = (i for key, i in self._running.items() if states.get(key, State()).is_moving)
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
            for key in tuple(self._running):
                async with self._looking:
                    item = self._running.get(key)
                    state = (self._states or {}).get(key, State())
                    late = self._measures.late_s
                    due = item is not None and item.is_due(state, self._clock(), late)
                    if item is not None and (due or key in self._told):
                        self._told.discard(key)
                        await self._look(key, item, state)

    async def _leads(self) -> bool:
        """Whether this control plane carries rollouts out; else it has what another one decides."""
        # What was read must not take the place of what has been decided since.
        async with self._reading:
            return await self._follow()

    async def _follow(self) -> bool:
        try:
            mine = await self._lead.ask()
            now = self._clock()
            if mine and not self._follows:
                return True
            if not mine and now - self._followed_at < ASK_S:
                return False
            # What another one has kept since; it is read once more by who takes over.
            found = await self._store.load()
        except StateError as error:
            self._failure = str(error)
            return False
        states = {key: state.known_at(now) if mine else state for key, state in found.items()}
        self._failure, self._follows, self._followed_at = "", not mine, now
        before, self._states = self._splits(), states
        if self._splits() != before:
            assert self._change is not None
            await self._change({})
        return mine

    def _splits(self) -> dict[Key, tuple[Hold, Split]]:
        """What is in force, by rollout."""
        states = self._states or {}
        return {
            key: (item.hold, item.split(states[key]))
            for key, item in self._running.items()
            if key in states
        }

    async def _late(self) -> bool:
        """Whether nobody knows yet how far rollouts are; what was kept counts from here on."""
        if self._states is not None:
            return False
        async with self._looking:
            states = await self._loaded()
        if states:
            assert self._change is not None
            await self._change({})
        return states is None

    async def _look(self, key: Key, item: Running, state: State) -> None:
        """One look, with all that it asks."""
        waiting = state.phase is Phase.PROMOTING and item.plan.manner is Manner.FLAGGER
        inputs = Inputs(
            item.revision,
            acknowledged=await self._taken(key, item, state),
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
        if await self._leads():
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
        return Counted(interval, await query_values(criteria.queries) if criteria.queries else {})

    async def _take(self, key: Key, item: Running, before: State, made: Step) -> None:
        """Keeps what a look or a command leads to, and brings it into force."""
        await self._keep(key, made)
        for event in made.events:
            log.info("rollout", rollout=str(key), phase=str(event.phase), text=event.text)
            self._tell(tell(item.plan, key, event))
        if item.split(before) == item.split(made.state):
            return
        assert self._change is not None
        await self._change({})
        if await self._taken(key, item, made.state):
            # Counts of the new split begin where the last proxy has it; what failed meanwhile is
            # no part of a verdict, but harm all the same.
            now = self._clock()
            harmed = made.state.harmed + self._failed(item, before, made.state.looked_at, now)
            await self._keep(key, Step(replace(made.state, stage_at=now, harmed=harmed)))

    def _failed(self, item: Running, state: State, since: float, until: float) -> int:
        """Requests that failed at the candidate; copies harm nobody."""
        candidate, _ = item.subjects
        found = None if state.mirror else self._measures.measure(candidate, since, until)
        return found.failures if found else 0

    async def _keep(self, key: Key, made: Step) -> None:
        assert self._states is not None
        self._states[key] = made.state
        try:
            await self._store.save(key, made.state, made.events)
        except StateError as error:
            self._failure = str(error)
        else:
            self._failure = ""

    def _tell(self, telling: Awaitable[None]) -> None:
        task = asyncio.ensure_future(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _taken(self, key: Key, item: Running, state: State) -> bool:
        """Whether all proxies have the weights, those of other control planes included."""
        assert self._has_all is not None
        if not await self._has_all(item.hold):
            return False
        with contextlib.suppress(StateError):
            return await self._acks.elsewhere(key, state.split)
        return True

    async def _loaded(self) -> dict[Key, State] | None:
        """All states; None while they cannot be read, for then nobody knows where to go on."""
        if self._states is None:
            try:
                self._states = dict(await self._store.load())
            except StateError as error:
                self._failure = str(error)
            else:
                self._failure = ""
        return self._states

    async def _forget(self, gone: Collection[Key]) -> None:
        for key in gone:
            (self._states or {}).pop(key, None)
            if self._follows:
                continue
            with contextlib.suppress(StateError):
                await self._store.forget(key)
