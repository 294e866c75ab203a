"""What policies do to the requests of one route, beside its action."""

from collections.abc import Iterable

from pointsman.envoy.filters.order import configured
from pointsman.envoy.matchers import Fields
from pointsman.envoy.traces import tracing_of_route
from pointsman.graph.model.effects import Effects, HeaderChange

_ACTIONS = {"set": "OVERWRITE_IF_EXISTS_OR_ADD", "add": "APPEND_IF_EXISTS_OR_ADD"}


def effects_of_route(effects: Effects) -> Fields:
    """Fields of `envoy.config.route.v3.Route`: changes of headers, and what filters do."""
    fields: Fields = {
        **_changes("request", effects.request_headers),
        **_changes("response", effects.response_headers),
        **tracing_of_route(effects.trace_percent),
    }
    filters = configured(effects)
    if filters:
        fields["typed_per_filter_config"] = filters
    return fields


def _changes(kind: str, changes: Iterable[HeaderChange]) -> Fields:
    fields: Fields = {}
    for item in changes:
        if item.verb == "remove":
            fields.setdefault(f"{kind}_headers_to_remove", []).append(item.name)
        else:
            # A percent sign alone begins one of Envoy's commands.
            header = {"key": item.name, "value": item.value.replace("%", "%%")}
            action = _ACTIONS[item.verb]
            option = {"header": header, "append_action": action, "keep_empty_value": True}
            fields.setdefault(f"{kind}_headers_to_add", []).append(option)
    return fields
