"""Failures on purpose."""

from pointsman.envoy import pb
from pointsman.envoy.actions import duration, share
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.effects import Fault

NAME = "envoy.filters.http.fault"


def fault_filter() -> Fields:
    """The filter, which does nothing but for routes that say so."""
    return {"name": NAME, "typed_config": pb.pack(pb.Fault())}


def fault_of_route(fault: Fault) -> pb.Message:
    """`HTTPFault` of a route."""
    fields: Fields = {}
    if fault.delay is not None:
        delay = fault.delay
        fields["delay"] = {"fixed_delay": duration(delay.ms), "percentage": share(delay.percent)}
    if fault.abort is not None:
        abort = fault.abort
        fields["abort"] = {"percentage": share(abort.percent)}
        if abort.grpc_status is not None:
            fields["abort"]["grpc_status"] = abort.grpc_status
        else:
            fields["abort"]["http_status"] = abort.status
    return pb.Fault(**fields)
