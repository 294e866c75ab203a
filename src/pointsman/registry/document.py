"""Registry documents: instances as people and programs write them, in YAML or JSON.

    namespace: shop.local
    services:
      cart:
        cart-1: {address: 10.0.1.17, zone: eu-central-1a, attributes: {version: v1}}
        cart-2: {address: [10.0.1.18, "fd00::18"], healthy: false}

A file may hold several documents. The REST interface takes what stands behind an id here.
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

from pointsman.registry.instance import (
    IPV4,
    IPV6,
    PORT_PREFIX,
    REGION,
    ZONE,
    Instance,
    ServiceName,
)
from pointsman.resources.codes import registry as codes
from pointsman.resources.documents import Document, split
from pointsman.resources.origin import FieldPath, Origin, show_path
from pointsman.resources.position import position
from pointsman.resources.problem import Problem
from pointsman.resources.text import Fault, UnreadableError, read


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _ip(value: Any) -> Any:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value} is not an IP address") from None


Port = Annotated[int, Field(ge=1, le=65535)]


class InstanceBody(BaseModel):
    """What is written of an instance; either `address` or the attributes of Cloud Map say where.

    Attributes:
        address: an IPv4 address, an IPv6 address, or one of each.
        healthy: whether it may be given requests.
        zone: availability zone.
        region: region.
        ports: listener's port -> port here, where they differ.
        attributes: anything else filters may name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[
        tuple[Annotated[StrictStr, BeforeValidator(_ip)], ...],
        BeforeValidator(_listed),
        Field(max_length=2),
    ] = ()
    healthy: StrictBool = True
    zone: StrictStr = ""
    region: StrictStr = ""
    ports: dict[Port, Port] = {}
    attributes: dict[StrictStr, StrictStr] = {}

    def instance(self, service: ServiceName, name: str) -> Instance:
        """The instance it describes."""
        attributes = dict(self.attributes)
        for address in self.address:
            attributes[IPV6 if ":" in address else IPV4] = address
        if self.zone:
            attributes[ZONE] = self.zone
        if self.region:
            attributes[REGION] = self.region
        for listener, port in self.ports.items():
            attributes[f"{PORT_PREFIX}{listener}"] = str(port)
        return Instance(service, name, attributes, self.healthy)


class _RegistryDocument(BaseModel):
    """One document of a registry file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    namespace: Annotated[StrictStr, Field(min_length=1)]
    services: dict[StrictStr, dict[StrictStr, InstanceBody]]


_DOCUMENT = TypeAdapter(_RegistryDocument)


@dataclass(frozen=True, slots=True)
class RegistryText:
    """What a registry file says.

    Attributes:
        held: instances by service; of no use when there are problems.
        problems: what is wrong, located.
    """

    held: Mapping[ServiceName, tuple[Instance, ...]]
    problems: tuple[Problem, ...]


def parse(source: str, text: str) -> RegistryText:
    """Reads a registry file.

    Args:
        source: its path, for the problems.
        text: all of it.
    """
    held: dict[ServiceName, dict[str, Instance]] = {}
    problems: list[Problem] = []
    for document in split(text):
        origin = Origin(source, document.line, document.text)
        found, value = _read(document, origin)
        problems += found
        if not found:
            problems += _take(value, origin, held)
    return RegistryText({name: tuple(some.values()) for name, some in held.items()}, (*problems,))


def _read(document: Document, origin: Origin) -> tuple[list[Problem], Any]:
    try:
        tree = read(document.text)
    except UnreadableError as error:
        faults: tuple[Fault, ...] = (error.fault,)
        value = None
    else:
        faults, value = tree.faults, tree.value
    above = document.line - 1
    found = [
        Problem(f.code, f.message, f.hint, origin=origin, at=(f.line + above, f.column))
        for f in faults
    ]
    return found, value


def _take(
    value: Any, origin: Origin, held: dict[ServiceName, dict[str, Instance]]
) -> Iterator[Problem]:
    try:
        document = _DOCUMENT.validate_python(value)
    except ValidationError as error:
        yield from (_problem(item, origin) for item in error.errors(include_url=False))
        return
    for name, bodies in document.services.items():
        service = ServiceName(document.namespace, name)
        known = held.setdefault(service, {})
        for identity, body in bodies.items():
            instance = body.instance(service, identity)
            path = ("services", name, identity)
            if identity in known:
                yield _bad(origin, path, f"instance {identity} of {service} is written twice")
            elif instance.ipv4 is None and instance.ipv6 is None:
                yield _bad(origin, path, f"instance {identity} has no address", _NO_ADDRESS)
            known[identity] = instance


_NO_ADDRESS = "write `address: 10.0.0.1`, or the attribute AWS_INSTANCE_IPV4 or AWS_INSTANCE_IPV6"


def error_message(error: ValidationError) -> str:
    """The first thing that is wrong with a body, in one sentence."""
    detail = error.errors(include_url=False)[0]
    where = show_path(tuple(detail["loc"]))
    return f"{where}: {_sentence(detail)}" if where else _sentence(detail)


def _problem(detail: ErrorDetails, origin: Origin) -> Problem:
    path = tuple(step for step in detail["loc"] if step != "[key]")
    return _bad(origin, path, f"{show_path(path)}: {_sentence(detail)}".removeprefix(": "))


def _bad(origin: Origin, path: FieldPath, message: str, hint: str = "") -> Problem:
    at = position(origin, path)
    return Problem(codes.BAD_ENTRY, message, hint, path=path, origin=origin, at=at)


def _sentence(detail: ErrorDetails) -> str:
    """A validation error in the words of this program."""
    say = _SENTENCES.get(detail["type"])
    return say(detail) if say else str(detail["msg"]).lower()


_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "extra_forbidden": lambda _: "there is no such field here",
    "missing": lambda _: "this field is needed",
    "string_type": lambda detail: f"{detail['input']!r} is not text; quote it",
    "bool_type": lambda detail: f"{detail['input']!r} is neither true nor false",
    "value_error": lambda detail: str(detail["msg"]).removeprefix("Value error, "),
    "dict_type": lambda _: "a mapping is needed here",
    "model_type": lambda _: "a mapping is needed here",
}
