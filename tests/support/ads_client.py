"""A client of the aggregated discovery service that says what it is told to say."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import grpc
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import json_format

TYPES = "type.googleapis.com/envoy.config."
CLUSTER = TYPES + "cluster.v3.Cluster"
ENDPOINT = TYPES + "endpoint.v3.ClusterLoadAssignment"
LISTENER = TYPES + "listener.v3.Listener"
ROUTE = TYPES + "route.v3.RouteConfiguration"

_METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
SECONDS = 20


class AdsStream:
    """A state-of-the-world stream."""

    def __init__(self, channel: Any, metadata: Mapping[str, str]) -> None:
        self._requests: SimpleQueue[Any] = SimpleQueue()
        method = channel.stream_stream(
            _METHOD,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=discovery_pb2.DiscoveryResponse.FromString,
        )
        self._call = method(
            iter(self._requests.get, None), metadata=tuple(metadata.items()), timeout=SECONDS
        )

    def send(self, request: Mapping[str, Any]) -> None:
        """Sends a request in its JSON form."""
        message = json_format.Parse(json.dumps(request), discovery_pb2.DiscoveryRequest())
        self._requests.put(message)

    def ask(self, type_url: str, *names: str) -> Any:
        """Subscribes for the first time, and gives the answer."""
        self.send({"typeUrl": type_url, "resourceNames": list(names)})
        return self.answer()

    def answer(self) -> Any:
        """The next answer."""
        return next(self._call)

    def accept(self, answer: Any, names: Iterable[str] = ()) -> None:
        """Accepts an answer."""
        self.send(
            {
                "typeUrl": answer.type_url,
                "versionInfo": answer.version_info,
                "responseNonce": answer.nonce,
                "resourceNames": list(names),
            }
        )

    def end(self) -> tuple[Any, str]:
        """Code and words with which the server ends the stream."""
        try:
            while True:
                next(self._call)
        except StopIteration:
            pass
        except grpc.RpcError:
            pass
        return self._call.code(), self._call.details()

    def close(self) -> None:
        """Ends it."""
        self._requests.put(None)
        self._call.cancel()


@contextmanager
def ads_stream(
    address: str, credentials: Any = None, metadata: Mapping[str, str] | None = None
) -> Iterator[AdsStream]:
    """A stream to a server, over TLS when there are credentials."""
    opened = (
        grpc.insecure_channel(address)
        if credentials is None
        else grpc.secure_channel(address, credentials)
    )
    with opened as channel:
        stream = AdsStream(channel, metadata or {})
        try:
            yield stream
        finally:
            stream.close()


def unpacked(answer: Any, made: Any) -> dict[str, Any]:
    """Resources of an answer by name, as messages of the class `made`."""
    found = {}
    for item in answer.resources:
        message = made()
        assert item.Unpack(message)
        found[getattr(message, "name", "") or message.cluster_name] = message
    return found
