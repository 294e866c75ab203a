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
