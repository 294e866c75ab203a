"""In which order the types of one change travel, so that nothing refers to what is not there yet.

Make before break: what is referred to goes first when it is added and last when it is removed.
"""

from pointsman.envoy.sealed import (
    CLUSTER,
    ENDPOINT,
    EXTENSION,
    LISTENER,
    ROUTE,
    RUNTIME,
    SECRET,
    VIRTUAL_HOST,
)

ADDITIONS = (CLUSTER, ENDPOINT, SECRET, EXTENSION, LISTENER, ROUTE, VIRTUAL_HOST, RUNTIME)

REMOVALS = (RUNTIME, VIRTUAL_HOST, ROUTE, LISTENER, SECRET, ENDPOINT, CLUSTER)
"""Without EXTENSION: a removed filter configuration rejects traffic (envoy #32823); it lapses
with the listener that refers to it."""

SENT_BEFORE = {
    LISTENER: (CLUSTER, EXTENSION),
    ROUTE: (CLUSTER, LISTENER),
    VIRTUAL_HOST: (CLUSTER, LISTENER, ROUTE),
}
"""Types that must have been sent at the same snapshot first. Endpoints and secrets are absent on
both sides: Envoy holds a cluster back until it has them, so they never wait for anything."""

LEGACY_WILDCARD = frozenset({CLUSTER, LISTENER, VIRTUAL_HOST})
"""Types for which an empty first subscription means everything (xDS protocol, "How the client
specifies what resources to return"; virtual hosts as Envoy 1.40 does it)."""

FULL_STATE = frozenset({CLUSTER, LISTENER})
"""Types of which a state-of-the-world answer is complete: absence removes."""
