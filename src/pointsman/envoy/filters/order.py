"""Which HTTP filters a listener has, in the order requests meet them.

| filter | why here                                                   |
|--------|------------------------------------------------------------|
| router | sends the request on, so nothing behind it would ever run  |
"""

from pointsman.envoy import pb
from pointsman.envoy.matchers import Fields


def http_filters() -> list[Fields]:
    """`http_filters` of a connection manager."""
    return [
        {"name": "envoy.filters.http.router", "typed_config": pb.pack(pb.Router())},
    ]
