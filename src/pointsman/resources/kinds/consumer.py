"""Consumer: an application that calls, by the name under which policies and limits know it.

What it proves itself with (keys, passwords, client secrets) is state and stands in no manifest;
what is public about it (names in certificates, subjects of tokens) stands here.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Name, Text, schema

GroupName = Annotated[str, Strict(), Field(min_length=1, max_length=63)]


@schema
class TokenSubject:
    """Tokens of an issuer that speak for the consumer."""

    issuer: Name
    """The issuer, as tokens have it in `iss`."""
    subject: Name
    """The value of the claim that the AccessPolicy compares, such as a client id."""


@schema
class ConsumerSpec:
    """Spec of a Consumer."""

    groups: Annotated[tuple[GroupName, ...], Field(max_length=32)] = ()
    """Groups it belongs to, such as a plan: rules and limits may name them."""
    attributes: Mapping[Text, Text] = Field(default_factory=dict)
    """Whatever else is to be kept about it; nothing reads it."""
    certificates: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Names in its client certificates: a URI, such as a SPIFFE id, or a DNS name."""
    tokens: Annotated[tuple[TokenSubject, ...], Field(max_length=16)] = ()
    """Tokens of others that speak for it."""
