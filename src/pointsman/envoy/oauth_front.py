"""Where the authorization server stands in the route table: in front of all that is its host's.

No policy of access stands before it, for it is where one gets what they ask for. What limits of
the listener count by address holds for it, too.
"""

from collections.abc import Iterator

from pointsman.envoy.filters import login, oauth
from pointsman.envoy.guards import Use, guarded, uses
from pointsman.envoy.matchers import Fields
from pointsman.graph.intent import find_host
from pointsman.graph.model.gateway import DomainKind, Listener, VirtualHost
from pointsman.graph.model.guards import NO_GUARDS, Guards


def front_host(listener: Listener) -> VirtualHost | None:
    """The virtual host that the requests of a listener's authorization server meet."""
    return None if listener.front is None else find_host(listener, listener.front.host)


def front_rows(listener: Listener, host: VirtualHost) -> Iterator[Fields]:
    """Its rows in that virtual host."""
    assert listener.front is not None
    exact = host.domain.kind is DomainKind.EXACT
    for row in oauth.oauth_rows(listener.front, exact=exact):
        yield from guarded(row, _limits(listener))


def front_uses(listener: Listener) -> frozenset[Use]:
    """What these rows need of filters."""
    return frozenset({oauth.NAME, login.SESSION, login.COOKIES, *uses(_limits(listener))})


def _limits(listener: Listener) -> Guards:
    found = listener.guards.limits
    return NO_GUARDS if found is None else Guards(limits=found)
