"""Which access log formats Envoy accepts: one it refuses costs the whole listener.

The commands were tried one by one on Envoy 1.40 (`tests/resources/test_log_format.py` tries them
again). Commands that Envoy has but that no App Mesh manifest could use (FILE_CONTENT, …) are left
out and so refused.
"""

import re
from collections.abc import Iterator
from typing import Final

from pointsman.resources.words import nearest

_TOKEN = re.compile(r"%(?:([A-Z0-9_]+)(\([^)]*\))?(:[0-9]+)?)?%")
_HEADER = re.compile(r":?[A-Za-z0-9!#$&'*+.^_`|~-]+(?:\?:?[A-Za-z0-9!#$&'*+.^_`|~-]+)?\Z")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PLAIN: Final = _words(
    """
    REQUEST_HEADERS_BYTES BYTES_RECEIVED BYTES_RETRANSMITTED PACKETS_RETRANSMITTED PROTOCOL
    UPSTREAM_PROTOCOL RESPONSE_CODE CONNECTION_TERMINATION_DETAILS RESPONSE_HEADERS_BYTES
    RESPONSE_TRAILERS_BYTES BYTES_SENT UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_WIRE_BYTES_SENT
    UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HEADER_BYTES_RECEIVED
    UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED
    DOWNSTREAM_WIRE_BYTES_SENT DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT
    DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT
    DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED DURATION REQUEST_DURATION REQUEST_TX_DURATION
    RESPONSE_DURATION RESPONSE_TX_DURATION DOWNSTREAM_HANDSHAKE_DURATION ROUNDTRIP_DURATION
    UPSTREAM_CONNECTION_POOL_READY_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG ROUTE_NAME
    VIRTUAL_CLUSTER_NAME UPSTREAM_HOST UPSTREAM_HOST_NAME UPSTREAM_HOST_NAME_WITHOUT_PORT
    UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_PORT
    UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_PORT UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID
    UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_DETECTED_CLOSE_TYPE UPSTREAM_LOCAL_CLOSE_REASON
    DOWNSTREAM_TRANSPORT_FAILURE_REASON DOWNSTREAM_LOCAL_CLOSE_REASON
    DOWNSTREAM_DETECTED_CLOSE_TYPE DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_PORT
    DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_LOCAL_ADDRESS
    DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_DIRECT_LOCAL_ADDRESS
    DOWNSTREAM_DIRECT_LOCAL_PORT CONNECTION_ID UPSTREAM_CONNECTION_ID STREAM_ID
    FILTER_CHAIN_NAME REQUESTED_SERVER_NAME DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_URI_SAN
    DOWNSTREAM_LOCAL_DNS_SAN DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_LOCAL_IP_SAN
    DOWNSTREAM_PEER_IP_SAN DOWNSTREAM_LOCAL_EMAIL_SAN DOWNSTREAM_PEER_EMAIL_SAN
    DOWNSTREAM_LOCAL_OTHERNAME_SAN DOWNSTREAM_PEER_OTHERNAME_SAN DOWNSTREAM_LOCAL_SUBJECT
    DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_ISSUER DOWNSTREAM_TLS_SESSION_ID
    DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_VERSION DOWNSTREAM_PEER_FINGERPRINT_256
    DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256
    DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1 DOWNSTREAM_PEER_CHAIN_SERIALS DOWNSTREAM_PEER_CERT
    UPSTREAM_PEER_SUBJECT UPSTREAM_PEER_ISSUER UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_CIPHER
    UPSTREAM_TLS_VERSION UPSTREAM_PEER_CERT UPSTREAM_PEER_URI_SAN UPSTREAM_PEER_DNS_SAN
    UPSTREAM_PEER_IP_SAN UPSTREAM_LOCAL_URI_SAN UPSTREAM_LOCAL_DNS_SAN UPSTREAM_LOCAL_IP_SAN
    HOSTNAME GRPC_STATUS_NUMBER TRACE_ID SPAN_ID UNIQUE_ID ACCESS_LOG_TYPE LOCAL_REPLY_BODY
    TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT UPSTREAM_HOSTS_ATTEMPTED
    UPSTREAM_HOST_NAMES_ATTEMPTED UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT
    UPSTREAM_CONNECTION_IDS_ATTEMPTED LISTENER_NAME
    """
)
"""Commands that take nothing."""

OPTIONAL: Final = _words(
    """
    START_TIME START_TIME_LOCAL EMIT_TIME EMIT_TIME_LOCAL DOWNSTREAM_PEER_CERT_V_START
    DOWNSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START UPSTREAM_PEER_CERT_V_END
    """
)
"""Commands that may take a time format."""

BARE: Final = _words(
    """
    RESPONSE_CODE_DETAILS UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT
    UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT
    DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT
    DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT GRPC_STATUS PATH QUERY_PARAMS
    """
)
"""Commands whose rarely used parameters are not known here, so that they take none."""

HEADERS: Final = frozenset(
    ("REQ", "REQUEST_HEADER", "RESP", "RESPONSE_HEADER", "TRAILER", "RESPONSE_TRAILER")
)
"""Commands that take a header, an alternative after `?`, and a length."""

NAMED: Final = frozenset(("QUERY_PARAM", "DYNAMIC_METADATA", "ENVIRONMENT"))
"""Commands that take a name and a length."""

COMMANDS: Final = PLAIN | OPTIONAL | BARE | HEADERS | NAMED
"""All commands."""


def complaints(text: str) -> Iterator[tuple[str, str]]:
    """What Envoy would refuse in a format, with a hint; nothing when it is accepted."""
    end = 0
    while (start := text.find("%", end)) >= 0:
        token = _TOKEN.match(text, start)
        if token is None:
            yield (
                f"no command begins at {text[start : start + 20]!r}",
                "write %% for a percent sign",
            )
            return
        end = token.end()
        name, parameters, length = token.groups()
        if name is not None:
            complaint = _complaint(name, (parameters or "")[1:-1], length)
            if complaint:
                near = nearest(name, COMMANDS) if name not in COMMANDS else None
                yield complaint, f"did you mean %{near}%?" if near else ""


def _complaint(name: str, parameters: str, length: str | None) -> str:
    if name not in COMMANDS:
        return f"there is no command %{name}%"
    if name in HEADERS:
        fine = _HEADER.match(parameters) is not None
        return "" if fine else f"%{name}% needs a header name, as %{name}(X-NAME)%"
    if name in NAMED:
        return "" if parameters else f"%{name}% needs a name, as %{name}(NAME)%"
    if length is not None:
        return f"%{name}% takes no length"
    if name in OPTIONAL:
        return "" if parameters.isprintable() else f"the time format of %{name}% is not printable"
    return f"%{name}% takes no parameters" if parameters else ""
