"""Getting it there: serves snapshots to Envoy by the aggregated discovery service."""
