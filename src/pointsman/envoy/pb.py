"""The only door to the protobuf packages, which ship without types."""

from typing import Any

from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import extension_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.config.trace.v3 import opentelemetry_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2
from envoy.extensions.access_loggers.grpc.v3 import als_pb2
from envoy.extensions.access_loggers.open_telemetry.v3 import logs_service_pb2
from envoy.extensions.clusters.dynamic_forward_proxy.v3 import cluster_pb2 as forward_cluster_pb2
from envoy.extensions.common.matching.v3 import extension_matcher_pb2
from envoy.extensions.compression.brotli.compressor.v3 import brotli_pb2
from envoy.extensions.compression.gzip.compressor.v3 import gzip_pb2
from envoy.extensions.compression.zstd.compressor.v3 import zstd_pb2
from envoy.extensions.filters.common.matcher.action.v3 import skip_action_pb2
from envoy.extensions.filters.http.adaptive_concurrency.v3 import adaptive_concurrency_pb2
from envoy.extensions.filters.http.admission_control.v3 import admission_control_pb2
from envoy.extensions.filters.http.api_key_auth.v3 import api_key_auth_pb2
from envoy.extensions.filters.http.compressor.v3 import compressor_pb2
from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.extensions.filters.http.dynamic_forward_proxy.v3 import dynamic_forward_proxy_pb2
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from envoy.extensions.filters.http.fault.v3 import fault_pb2
from envoy.extensions.filters.http.header_mutation.v3 import (
    header_mutation_pb2 as http_header_mutation_pb2,
)
from envoy.extensions.filters.http.header_to_metadata.v3 import header_to_metadata_pb2
from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2 as jwt_authn_pb2
from envoy.extensions.filters.http.local_ratelimit.v3 import local_rate_limit_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.extensions.filters.http.oauth2.v3 import oauth_pb2
from envoy.extensions.filters.http.rate_limit_quota.v3 import rate_limit_quota_pb2
from envoy.extensions.filters.http.ratelimit.v3 import rate_limit_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.listener.original_dst.v3 import original_dst_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.connection_limit.v3 import connection_limit_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2,
)
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.http.original_ip_detection.custom_header.v3 import custom_header_pb2
from envoy.extensions.rate_limit_descriptors.expr.v3 import expr_pb2
from envoy.extensions.transport_sockets.internal_upstream.v3 import internal_upstream_pb2
from envoy.extensions.transport_sockets.raw_buffer.v3 import raw_buffer_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.service.accesslog.v3 import als_pb2 as als_service_pb2
from envoy.service.auth.v3 import external_auth_pb2
from envoy.service.discovery.v3 import discovery_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf import any_pb2, json_format
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from xds.type.v3 import typed_struct_pb2

Message = Any
"""A protobuf message; its fields are known to the descriptor pool, not to the type checker."""

AdaptiveConcurrency = adaptive_concurrency_pb2.AdaptiveConcurrency
AdmissionControl = admission_control_pb2.AdmissionControl
AddressHeader = custom_header_pb2.CustomHeaderConfig
ApiKeyAuth = api_key_auth_pb2.ApiKeyAuth
ApiKeyAuthPerRoute = api_key_auth_pb2.ApiKeyAuthPerRoute
Bootstrap = bootstrap_pb2.Bootstrap
Brotli = brotli_pb2.Brotli
CheckRequest = external_auth_pb2.CheckRequest
CheckResponse = external_auth_pb2.CheckResponse
CelFilter = cel_pb2.ExpressionFilter
Cluster = cluster_pb2.Cluster
ClusterLoadAssignment = endpoint_pb2.ClusterLoadAssignment
Compressor = compressor_pb2.Compressor
Cors = cors_pb2.Cors
ConnectionLimit = connection_limit_pb2.ConnectionLimit
CorsPolicy = cors_pb2.CorsPolicy
DeltaDiscoveryRequest = discovery_pb2.DeltaDiscoveryRequest
DiscoveryRequest = discovery_pb2.DiscoveryRequest
DownstreamTls = tls_pb2.DownstreamTlsContext
EarlyHeaderMutation = header_mutation_pb2.HeaderMutation
DynamicForwardProxy = dynamic_forward_proxy_pb2.FilterConfig
DynamicForwardProxyCluster = forward_cluster_pb2.ClusterConfig
ExtAuthz = ext_authz_pb2.ExtAuthz
ExtAuthzPerRoute = ext_authz_pb2.ExtAuthzPerRoute
ExpressionDescriptor = expr_pb2.Descriptor
ExtensionWithMatcher = extension_matcher_pb2.ExtensionWithMatcher
Fault = fault_pb2.HTTPFault
FilterConfig = route_components_pb2.FilterConfig
FileAccessLog = file_pb2.FileAccessLog
OpenTelemetryLog = logs_service_pb2.OpenTelemetryAccessLogConfig
OpenTelemetryConfig = opentelemetry_pb2.OpenTelemetryConfig
Gzip = gzip_pb2.Gzip
HeaderMutation = http_header_mutation_pb2.HeaderMutation
HeaderMutationPerRoute = http_header_mutation_pb2.HeaderMutationPerRoute
HeaderToMetadata = header_to_metadata_pb2.Config
HttpGrpcAccessLog = als_pb2.HttpGrpcAccessLogConfig
HttpConnectionManager = http_connection_manager_pb2.HttpConnectionManager
HttpProtocolOptions = http_protocol_options_pb2.HttpProtocolOptions
InternalUpstreamTransport = internal_upstream_pb2.InternalUpstreamTransport
JwtAuthn = jwt_authn_pb2.JwtAuthentication
JwtAuthnPerRoute = jwt_authn_pb2.PerRouteConfig
Listener = listener_pb2.Listener
OAuth2 = oauth_pb2.OAuth2
Lua = lua_pb2.Lua
LuaPerRoute = lua_pb2.LuaPerRoute
LocalRateLimit = local_rate_limit_pb2.LocalRateLimit
OriginalDst = original_dst_pb2.OriginalDst
MetricsRequest = metrics_service_pb2.ExportMetricsServiceRequest
MetricsResponse = metrics_service_pb2.ExportMetricsServiceResponse
Packed = any_pb2.Any
RateLimit = rate_limit_pb2.RateLimit
RateLimitQuota = rate_limit_quota_pb2.RateLimitQuotaFilterConfig
RateLimitQuotaBucket = rate_limit_quota_pb2.RateLimitQuotaBucketSettings
Rbac = rbac_pb2.RBAC
RbacPerRoute = rbac_pb2.RBACPerRoute
RawBuffer = raw_buffer_pb2.RawBuffer
RequestHeaderInput = http_inputs_pb2.HttpRequestHeaderMatchInput
Route = route_components_pb2.Route
RouteConfiguration = route_pb2.RouteConfiguration
Router = router_pb2.Router
Secret = secret_pb2.Secret
SkipFilter = skip_action_pb2.SkipFilter
StreamAccessLogsMessage = als_service_pb2.StreamAccessLogsMessage
StreamAccessLogsResponse = als_service_pb2.StreamAccessLogsResponse
TcpProxy = tcp_proxy_pb2.TcpProxy
TypedExtensionConfig = extension_pb2.TypedExtensionConfig
TypedStruct = typed_struct_pb2.TypedStruct
TlsInspector = tls_inspector_pb2.TlsInspector
UpstreamTls = tls_pb2.UpstreamTlsContext
VirtualHost = route_components_pb2.VirtualHost
Zstd = zstd_pb2.Zstd


def to_dict(message: Message) -> dict[str, Any]:
    """A message as JSON has it, with the names of the .proto files."""
    fields: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return fields


def pack(message: Message) -> Message:
    """A message wrapped in `google.protobuf.Any`."""
    wrapped = any_pb2.Any()
    wrapped.Pack(message, deterministic=True)
    return wrapped
