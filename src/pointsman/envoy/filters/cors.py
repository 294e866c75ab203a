"""CORS: answers preflight requests, and tells browsers who may read what."""

import re

from pointsman.envoy import pb
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.effects import Cors

NAME = "envoy.filters.http.cors"


def cors_filter() -> Fields:
    """The filter, which does nothing but for routes that say so."""
    return {"name": NAME, "typed_config": pb.pack(pb.Cors())}


def cors_of_route(cors: Cors) -> pb.Message:
    """`CorsPolicy` of a route."""
    fields: Fields = {
        "allow_origin_string_match": [_origin(origin) for origin in cors.origins],
        "allow_credentials": {"value": cors.credentials},
    }
    for name, values in (
        ("allow_methods", cors.methods),
        ("allow_headers", cors.headers),
        ("expose_headers", cors.exposed),
    ):
        if values:
            fields[name] = ",".join(values)
    if cors.max_age_s is not None:
        fields["max_age"] = str(cors.max_age_s)
    return pb.CorsPolicy(**fields)


def _origin(origin: str) -> Fields:
    if "*" not in origin:
        return {"exact": origin}
    return {"safe_regex": {"regex": ".*".join(map(re.escape, origin.split("*")))}}
