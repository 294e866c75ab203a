"""One Envoy resource, ready to send: the currency between translation and serving.

Serving joins these bytes and builds nothing, so a push costs the same whatever is inside.
"""

from dataclasses import dataclass, field

from pointsman.resources.key import Key

TYPE_PREFIX = "type.googleapis.com/"
CLUSTER = TYPE_PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINT = TYPE_PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = TYPE_PREFIX + "envoy.config.listener.v3.Listener"
ROUTE = TYPE_PREFIX + "envoy.config.route.v3.RouteConfiguration"
VIRTUAL_HOST = TYPE_PREFIX + "envoy.config.route.v3.VirtualHost"
SECRET = TYPE_PREFIX + "envoy.extensions.transport_sockets.tls.v3.Secret"
EXTENSION = TYPE_PREFIX + "envoy.config.core.v3.TypedExtensionConfig"
RUNTIME = TYPE_PREFIX + "envoy.service.runtime.v3.Runtime"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A resource as bytes.

    Attributes:
        type_url: one of the constants above.
        name: resource name, unique within the type.
        version: hash of `body`; equal content has an equal version in every process.
        body: a serialized `google.protobuf.Any` holding the resource; it may hold a private key, so
            it is shown nowhere.
        keys: objects the resource was made from, so that a rejection can name them.
    """

    type_url: str
    name: str
    version: str
    body: bytes = field(repr=False)
    keys: tuple[Key, ...] = ()
