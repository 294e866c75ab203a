"""Rxx: requests go elsewhere than they should, or nowhere."""

from pointsman.doctor.check import DOWNS, MISROUTES, Check
from pointsman.resources.problem import Severity

HIDDEN = Check(
    "R01",
    Severity.WARNING,
    MISROUTES,
    "a route is hidden by another one",
    "Another route of the same hosts is tried before it and takes every request that it would "
    "take, so it never gets one. Routes go by priority, then exact paths before regular "
    "expressions before prefixes, then longer paths, more conditions, names.",
)
TWINS = Check(
    "R02",
    Severity.WARNING,
    MISROUTES,
    "two routes have the same match",
    "Only the first one by priority and name gets requests.",
)
NO_WEIGHT = Check(
    "R03",
    Severity.WARNING,
    DOWNS,
    "all weights of a route are 0",
    "No target can be chosen, so requests are answered 503.",
)
NO_TARGET = Check(
    "R04",
    Severity.ERROR,
    DOWNS | MISROUTES,
    "a route or a service leads to something that is not there",
    "The object is missing, has errors of its own, has no listener or no service discovery. Its "
    "requests are answered 503 or 404.",
)
OUTSIDE = Check(
    "R05",
    Severity.ERROR,
    DOWNS | MISROUTES,
    "a reference leads out of the mesh",
    "Objects of another mesh, and ARNs of objects that were not written as manifests, cannot be "
    "reached from here.",
)
PORTS_DIFFER = Check(
    "R06",
    Severity.ERROR,
    DOWNS | MISROUTES,
    "a port that is named is not one that is served",
    "Ports of gateways, routers and nodes have to agree along the way, and have to be named where "
    "there are several.",
)
PROTOCOLS_DIFFER = Check(
    "R07",
    Severity.WARNING,
    DOWNS | MISROUTES,
    "protocols along the way do not fit",
    "HTTP cannot end at a TCP listener, and two TCP services cannot be told apart on one port. "
    "Conversions between HTTP/1.1, HTTP/2 and gRPC work for most requests, not for all.",
)
PREFIX_IN_WORD = Check(
    "R08",
    Severity.WARNING,
    MISROUTES,
    "a prefix ends within a word and takes what is left of its neighbour",
    "Prefixes are compared as text: `/v2` takes `/v2beta`, too. Requests for the neighbour that do "
    "not meet its further conditions end at the shorter prefix.",
)
NOTHING_LEFT = Check(
    "R10",
    Severity.WARNING,
    MISROUTES,
    "what a rewrite leaves of the path matches no route",
    "Gateway routes replace the prefix they matched by `/` unless they say otherwise, and the "
    "router behind them sees what is left.",
)
GREEDY_REGEX = Check(
    "R11",
    Severity.WARNING,
    MISROUTES,
    "a regular expression takes every path, or none",
    "Regular expressions are tried before prefixes, however long. One that matches every path "
    "leaves nothing to the prefixes behind it; for what is left over there is `prefix: /`. One "
    "that cannot begin with a slash matches no path at all: it has to match the whole path.",
)
IMPOSSIBLE = Check(
    "R12",
    Severity.WARNING,
    MISROUTES,
    "no request can meet the conditions on headers",
    "Two of them exclude each other, or one asks for what never arrives: a value with a blank at "
    "its end, a pseudo header in a form it never has, a header that proxies take away before "
    "routes are compared.",
)
NO_HOST = Check(
    "R13",
    Severity.WARNING,
    MISROUTES,
    "a host name that no request has",
    "Hosts are compared in lower case, without port and without the dot at the end.",
)
NO_CERTIFICATE = Check(
    "R14",
    Severity.ERROR,
    DOWNS,
    "a listener or a caller has no certificate to use",
    "What stands for a certificate of AWS has to be named, and an identity needs a name that a "
    "certificate can carry. Until then the listener is not served, or the backend not called.",
)
NOT_ATTACHED = Check(
    "R15",
    Severity.ERROR,
    DOWNS | MISROUTES,
    "an object belongs to no mesh or gateway, or to several",
    "Selectors of meshes and gateways decide. What belongs to none is not served.",
)
CATCH_ALL_FIRST = Check(
    "R16",
    Severity.WARNING,
    MISROUTES,
    "a route for everything is tried first",
    "Its priority has the lowest number, which counts before everything else, so that the routes "
    "behind it never get a request. Leave its priority out, or give it the highest number.",
)
SPECIAL_LAST = Check(
    "R18",
    Severity.WARNING,
    MISROUTES,
    "a route for some requests is tried after the one for all of them",
    "Both have the same path, and the one without the further conditions has the lower priority "
    "number. Without priorities the route with more conditions would be tried first.",
)
SAME_CLAIM = Check(
    "R25",
    Severity.ERROR,
    DOWNS | MISROUTES,
    "two objects claim the same name, port or target",
    "Only the first one is served.",
)
NOT_THERE = Check(
    "R09",
    Severity.WARNING,
    MISROUTES,
    "an application has nothing at the paths it is asked for",
    "Most requests for the node are answered 404 by the application itself. Gateway routes replace "
    "the prefix they matched by `/` unless they say otherwise, so the application may be asked for "
    "another path than the client wrote; or the requests are meant for another node.",
)
LOST = Check(
    "R20",
    Severity.WARNING,
    MISROUTES | DOWNS,
    "requests meet no route",
    "No gateway route takes them, so they are answered 404. The conditions that did not hold are "
    "told for the routes that come closest.",
)
SPLIT_OFF = Check(
    "R19",
    Severity.WARNING,
    MISROUTES,
    "requests are not shared as weights say",
    "What proxies have counted differs from the weights by more than chance. Cohorts and sticky "
    "sessions follow the callers there are, and retries move requests to where they are answered.",
)
STALE = Check(
    "R22",
    Severity.ERROR,
    MISROUTES | DOWNS,
    "a proxy has not what was written",
    "It rejects a part of its configuration or does not answer it, or an error keeps what was "
    "written out of force. The last good version goes on serving.",
)
TURNED_AWAY = Check(
    "R23",
    Severity.ERROR,
    MISROUTES | DOWNS,
    "a proxy is turned away",
    "It says it is a node that nothing is configured for, or it cannot prove to be the one it says "
    "it is. It serves what it had before, or nothing.",
)
NO_BACKEND = Check(
    "R24",
    Severity.WARNING,
    MISROUTES | DOWNS,
    "an application calls what is none of its backends",
    "Its proxy knows the virtual services in `backends` of its virtual node, and where the egress "
    "filter is DROP_ALL nothing else is reached.",
)
