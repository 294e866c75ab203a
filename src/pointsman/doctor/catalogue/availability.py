"""Uxx: nobody can be reached, or nobody is allowed to."""

from pointsman.doctor.check import DOWNS, SLOWS, Check
from pointsman.resources.problem import Severity

CHECK_FAILS = Check(
    "U07",
    Severity.WARNING,
    DOWNS,
    "a health check cannot tell how the application is",
    "It passes through the node's own proxy like every request, so a policy that asks for a "
    "credential refuses it and the node counts as dead. It has to fit the listener's protocol, "
    "and to be over before the next one begins.",
)
EJECTS_ALL = Check(
    "U08",
    Severity.WARNING,
    DOWNS,
    "outlier detection may take away every endpoint, or none",
    "All of them may be ejected at once and nothing brings them back early, so that a fault which "
    "they share becomes an outage.",
)
NO_SUCH_NAME = Check(
    "U09",
    Severity.WARNING,
    DOWNS,
    "a host name that is never found",
    "Names have labels of 1 to 63 characters and 253 in all (RFC 1035), and nothing is ever found "
    "below `invalid` (RFC 6761). The node's requests are answered 503.",
)
PORT_CLASH = Check(
    "U11",
    Severity.WARNING,
    DOWNS,
    "a port cannot be served as it is written",
    "Two listeners, or a proxy's own port, are in each other's way.",
)
USED_UP = Check(
    "U16",
    Severity.WARNING,
    DOWNS | SLOWS,
    "a limit refuses more than was meant, or nobody",
    "It counts by something that nobody is asked for, or that callers choose freely; or the health "
    "checks of one caller are more than it admits.",
)
NOBODY_PASSES = Check(
    "U17",
    Severity.WARNING,
    DOWNS,
    "a policy of access that cannot hold as written",
    "It names consumers that are not declared, goes by what no method tells, is attached where it "
    "is not enforced, or cannot be read.",
)
NO_PREFLIGHT = Check(
    "U18",
    Severity.WARNING,
    DOWNS,
    "browsers cannot ask before they send",
    "A route with CORS has to match OPTIONS, too.",
)
ONE_SIDED_TLS = Check(
    "U20",
    Severity.WARNING,
    DOWNS,
    "TLS that one side wants and the other has not",
    "A caller that enforces TLS fails at a node that speaks plaintext; a node that asks for client "
    "certificates refuses callers that have none.",
)
NO_ENDPOINT = Check(
    "U01",
    Severity.ERROR,
    DOWNS,
    "a virtual node has no endpoint that may be used",
    "None was found, all fail their health checks, or all were ejected because of failures.",
)
NO_CONNECTION = Check(
    "U02",
    Severity.ERROR,
    DOWNS,
    "connections to a virtual node do not come about",
    "Nobody listens there, nobody answers, or TLS fails; Envoy's words tell which.",
)
CUT_OFF = Check(
    "U03",
    Severity.ERROR,
    DOWNS,
    "a backend ends connections while requests are under way",
    "It crashed, or closes connections that were idle sooner than the proxy does, which then uses "
    "one that is just being closed.",
)
NO_CLUSTER = Check(
    "U05",
    Severity.ERROR,
    DOWNS,
    "a route leads to what its proxy does not have",
    "The proxy misses a part of its configuration, which is on its way or was rejected.",
)
TOO_LATE = Check(
    "U06",
    Severity.ERROR,
    DOWNS | SLOWS,
    "a proxy ends requests before they are answered",
    "A time limit was reached, on the route or on a connection. Envoy's response flag tells which.",
)
EXPIRED = Check(
    "U12",
    Severity.ERROR,
    DOWNS,
    "a certificate is no longer good",
    "It has expired, or the one who has to renew it cannot. Of one in a file that was first seen "
    "in its last week nobody knows whether somebody renews it, so it is a note until it is late.",
)
NO_PROXY = Check(
    "U13",
    Severity.WARNING,
    DOWNS,
    "no proxy serves a virtual gateway, or a node has lost its own",
    "None is connected to this control plane. Proxies that lost it go on with what they have, but "
    "a new one gets nothing.",
)
TOO_LARGE = Check(
    "U19",
    Severity.WARNING,
    DOWNS,
    "requests are not taken as they are",
    "They are larger than a policy allows, or not the HTTP that the listener speaks.",
)
FAILS = Check(
    "U21",
    Severity.ERROR,
    DOWNS,
    "an application answers with errors of its own",
    "The request reached it, and it answered 5xx; its own log knows why.",
)
ON_PURPOSE = Check(
    "U22",
    Severity.WARNING,
    DOWNS | SLOWS,
    "a policy delays or fails requests on purpose",
    "`fault` of a RoutePolicy is meant for tests. Remove it when the test is over.",
)
