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
