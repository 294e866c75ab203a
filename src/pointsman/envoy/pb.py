"""The door to the protobuf packages: nothing else imports them.

They ship no type information, so every name is `Any` to the type checker.
"""

from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DiscoveryRequest

__all__ = ["DeltaDiscoveryRequest", "DiscoveryRequest"]
