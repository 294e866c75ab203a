"""What all kinds share: strict scalars, references, selectors, durations.

The dataclasses of this package are the manifests' schema and nothing else: what the fields mean
is decided in `graph`. Attribute docstrings become the manifest reference (docs/manifests.md).
Limits come from the CRDs of the App Mesh controller (v1.13) and the App Mesh API (2019-01-25).
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar, cast

from pydantic import ConfigDict, Field, Strict
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass as _dataclass
from typing_extensions import dataclass_transform

T = TypeVar("T")


def manifest_name(field: str) -> str:
    """The name of a field in manifests: camelCase, but ARN and ARNs in capitals."""
    name = to_camel(field)
    for ending, written in (("Arn", "ARN"), ("Arns", "ARNs")):
        if name.endswith(ending):
            return name.removesuffix(ending) + written
    return name


CONFIG = ConfigDict(
    defer_build=True,
    alias_generator=manifest_name,
    extra="forbid",
    validate_by_alias=True,
    validate_by_name=True,
)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field,))
def schema(cls: type[T]) -> type[T]:
    """Makes a class one node of the manifest schema: frozen, slotted, camelCase on the outside."""
    made = _dataclass(cls, frozen=True, slots=True, kw_only=True, config=CONFIG)
    return cast("type[T]", made)


Text = Annotated[str, Strict()]
Name = Annotated[str, Strict(), Field(min_length=1, max_length=255)]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=2**31 - 1)]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
Priority = Annotated[int, Strict(), Field(ge=0, le=1000)]
Weight = Annotated[int, Strict(), Field(ge=0, le=100)]
Protocol = Literal["grpc", "http", "http2", "tcp"]
Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]


@schema
class LabelSelector:
    """A Kubernetes label selector. Absent and `{}` differ: see the field that holds it."""

    match_labels: Mapping[Text, Text] = Field(default_factory=dict)
    """Labels that must all be present with these values."""
    match_expressions: tuple["LabelExpression", ...] = ()
    """Set-based requirements, all of which must hold."""


@schema
class LabelExpression:
    """One set-based requirement of a label selector."""

    key: Text
    """Label name."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the label is compared."""
    values: tuple[Text, ...] = ()
    """Values for In and NotIn."""


@schema
class Reference:
    """Names another object; the namespace defaults to the referrer's."""

    name: Name
    """metadata.name of the object."""
    namespace: Name | None = None
    """Its namespace."""


@schema
class OwnerReference:
    """A reference the App Mesh webhook wrote: accepted from exported manifests."""

    name: Name
    """metadata.name of the object."""
    namespace: Name | None = None
    """Its namespace."""
    uid: Text | None = None
    """Kubernetes uid; not used."""


@schema
class Duration:
    """A length of time."""

    unit: Literal["s", "ms"]
    """Seconds or milliseconds."""
    value: Count
    """How many of them."""

    @property
    def ms(self) -> int:
        """The duration in milliseconds."""
        return self.value * 1000 if self.unit == "s" else self.value


@schema
class PortMapping:
    """A port and the protocol spoken on it."""

    port: Port
    """TCP port."""
    protocol: Protocol
    """Protocol spoken on the port."""
