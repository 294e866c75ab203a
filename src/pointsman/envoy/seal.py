"""From messages to sealed bytes."""

import hashlib
from collections.abc import Iterable

from pointsman.envoy import pb
from pointsman.envoy.sealed import (
    CLUSTER,
    ENDPOINT,
    EXTENSION,
    LISTENER,
    ROUTE,
    SECRET,
    TYPE_PREFIX,
    VIRTUAL_HOST,
    Sealed,
)
from pointsman.resources.key import Key

_VERSION_BYTES = 8
_REDACTED = "[redacted]"
"""What Envoy's own dumps show in place of a private key."""


def seal(message: pb.Message, keys: Iterable[Key] = ()) -> Sealed:
    """A message as bytes, with their hash as version and the objects it was made from."""
    body = pb.pack(message).SerializeToString(deterministic=True)
    version = hashlib.blake2b(body, digest_size=_VERSION_BYTES).hexdigest()
    type_url = TYPE_PREFIX + message.DESCRIPTOR.full_name
    name = message.cluster_name if type_url == ENDPOINT else message.name
    return Sealed(type_url, name, version, body, tuple(dict.fromkeys(keys)))


def unseal(sealed: Sealed) -> pb.Message:
    """The message in sealed bytes, for people to read; private keys are left out of it."""
    wrapped = pb.Packed()
    wrapped.ParseFromString(sealed.body)
    message = _CLASSES[sealed.type_url]()
    wrapped.Unpack(message)
    if sealed.type_url == SECRET and message.HasField("tls_certificate"):
        key = message.tls_certificate.private_key
        if key.WhichOneof("specifier") != "filename":  # the name of a file is no secret
            key.Clear()
            key.inline_string = _REDACTED
    return message


_CLASSES = {
    CLUSTER: pb.Cluster,
    ENDPOINT: pb.ClusterLoadAssignment,
    EXTENSION: pb.TypedExtensionConfig,
    LISTENER: pb.Listener,
    ROUTE: pb.RouteConfiguration,
    SECRET: pb.Secret,
    VIRTUAL_HOST: pb.VirtualHost,
}
