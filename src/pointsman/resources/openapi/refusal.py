"""What is judged, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Body:
    """A request with its body.

    Attributes:
        method: in upper case.
        path: with the query, as the proxy matched it.
        headers: by name in lower case.
        content: the body.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that is wrong with a body.

    Attributes:
        at: where in it, a JSON pointer (RFC 6901).
        detail: what is wrong there, without the value.
    """

    at: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused.

    Attributes:
        status: what is answered.
        detail: one sentence.
        reasons: what is wrong with the body, for those who mend it.
    """

    status: int
    detail: str
    reasons: tuple[Reason, ...] = ()
