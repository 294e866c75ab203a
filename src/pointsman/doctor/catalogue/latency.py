"""Lxx: requests take longer than they should, or make too many others."""

from pointsman.doctor.check import DOWNS, SLOWS, Check
from pointsman.resources.problem import Severity

CUT_BY_NODE = Check(
    "L01",
    Severity.WARNING,
    SLOWS | DOWNS,
    "a route allows more time than the node it leads to",
    "The proxy of the node has a timeout of its own, 15 s unless its listener says otherwise. It "
    "answers 504 when that is over, whatever the route would have allowed.",
)
RETRIES_DO_NOT_FIT = Check(
    "L02",
    Severity.NOTE,
    SLOWS,
    "a request ends before its retries do",
    "The time of a request covers all its tries.",
)
AMPLIFIED = Check(
    "L03",
    Severity.WARNING,
    SLOWS | DOWNS,
    "retries multiply along a chain of calls",
    "Every hop tries again on its own, so a service that fails gets the product of all tries, "
    "when it needs rest most. Retry at one hop, best the one nearest to the client, or on "
    "connection errors only.",
)
STREAM_CUT = Check(
    "L04",
    Severity.WARNING,
    SLOWS | DOWNS,
    "a stream is cut by the node it leads to",
    "The route has no time limit, as streams need it, but the proxy of the node has one: 15 s "
    "unless its listener says otherwise.",
)
POOL_NARROW = Check(
    "L05",
    Severity.WARNING,
    SLOWS | DOWNS,
    "a connection pool has hardly room for the requests there are",
    "As many requests are under way, on average, as come in a second times the seconds each takes "
    "(Little's law). Where `connectionPool` is not well above that, requests wait at every little "
    "rush, and all the more when something becomes slow.",
)
POOL_FULL = Check(
    "L06",
    Severity.ERROR,
    SLOWS | DOWNS,
    "a connection pool is too small",
    "More requests come at once than `connectionPool` of the listener has connections for. They "
    "wait for one, and those that are too many to wait are refused. Either it is too small, or "
    "what is behind it has become slow.",
)
CONNECTING = Check(
    "L07",
    Severity.WARNING,
    SLOWS,
    "connecting takes most of the time",
    "New connections are made for requests, and these wait for them, with TLS for longer. Look "
    "whether the backend closes connections after each request, and how far away it is.",
)
SLOW_NODE = Check(
    "L08",
    Severity.WARNING,
    SLOWS,
    "a virtual node is slow to answer",
    "The time passes between the last byte of the request and the first of the answer: in the "
    "application, or in what it calls.",
)
HIDDEN_RETRIES = Check(
    "L09",
    Severity.WARNING,
    SLOWS,
    "retries hide that tries fail",
    "Callers see answers, later and at the price of more requests. When the retries are used up, "
    "they see errors all at once.",
)
FILTERED = Check(
    "L10",
    Severity.WARNING,
    SLOWS,
    "requests wait before they go on",
    "The time passes in the proxy itself, between the whole request and its first byte to a "
    "backend: policies ask somebody else whether it may pass, or an endpoint is waited for.",
)
CHURN = Check(
    "L15",
    Severity.NOTE,
    SLOWS,
    "manifests change all the time",
    "Each change is translated and sent, and connections to what was replaced are made anew. It is "
    "mostly a tool that writes the same thing in another form each time.",
)
LEFT = Check(
    "L18",
    Severity.WARNING,
    SLOWS | DOWNS,
    "clients leave before they are answered",
    "They wait for less time than the answer takes, and perhaps ask again, while the application "
    "still works for nobody.",
)
SLOW_CLIENT = Check(
    "L17",
    Severity.NOTE,
    SLOWS,
    "clients are slow to send or to read",
    "The time passes while bodies travel between client and proxy, where nothing here can help.",
)
OVERLOADED = Check(
    "L12",
    Severity.ERROR,
    DOWNS | SLOWS,
    "a proxy is short of memory or connections",
    "Envoy turns requests away before it fails itself.",
)
