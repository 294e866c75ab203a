"""Which requests are taken at all: what a HygienePolicy means."""

from dataclasses import dataclass
from typing import Literal

from pointsman.graph.model.effects import HeaderChange
from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class BodySchemas:
    """Bodies are to be as a document says.

    Attributes:
        policy: the policy.
        name: of this document; another content has another name.
        document: its text.
        refuses_unknown: whether what it does not have is refused.
        open: whether requests pass while nobody can be asked.
        max_bytes: longest body that is compared; longer ones are refused.
    """

    policy: Key
    name: str
    document: str
    refuses_unknown: bool
    open: bool
    max_bytes: int


@dataclass(frozen=True, slots=True)
class RouteHygiene:
    """What holds for the requests of a route.

    Attributes:
        policy: the policy.
        max_body_bytes: longest body; None for any.
        methods: methods that are taken; all when empty.
        answers: changes of headers of answers.
        defaults: headers that answers get where they have none of the name.
        schemas: what bodies have to be like.
    """

    policy: Key
    max_body_bytes: int | None = None
    methods: tuple[str, ...] = ()
    answers: tuple[HeaderChange, ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()
    schemas: BodySchemas | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """Turns requests away while too many fail.

    Attributes:
        success: share of successes, in percent, below which it begins.
        window_s: seconds that are looked back over.
        most: the largest share that is turned away, in percent.
    """

    success: float
    window_s: int
    most: float


@dataclass(frozen=True, slots=True)
class InFlight:
    """As many requests at once as do not make them slower.

    Attributes:
        most: never more than so many.
        percentile: of the latencies that are watched.
    """

    most: int
    percentile: float


@dataclass(frozen=True, slots=True)
class Hygiene:
    """What holds for a listener.

    Attributes:
        policy: the policy.
        routes: what holds for its routes, where they have no policy of their own.
        headers_kib: KiB of all headers of a request; None for Envoy's 60.
        headers: their number; None for Envoy's 100.
        escaped_slashes: what becomes of `%2F` and `%5C`.
        path_parameters: whether `;` behind dots is left alone.
        headers_ms: time for the headers of a request, in ms; None for any.
        request_ms: time for a whole request.
        idle_ms: time without a byte.
        connections: at the same time; None for any number.
        trusted_hops: proxies in front whose `x-forwarded-for` is believed.
        admission: see there.
        in_flight: see there.
    """

    policy: Key
    routes: RouteHygiene
    headers_kib: int | None = None
    headers: int | None = None
    escaped_slashes: Literal["reject", "unescape", "keep"] = "reject"
    path_parameters: bool = False
    headers_ms: int | None = None
    request_ms: int | None = None
    idle_ms: int | None = None
    connections: int | None = None
    trusted_hops: int = 0
    admission: Admission | None = None
    in_flight: InFlight | None = None
