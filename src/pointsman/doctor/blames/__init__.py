"""What Envoy says of a request that failed, as a cause; one module for each part of its way."""
