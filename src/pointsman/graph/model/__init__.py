"""The linked meaning of the manifests, as plain immutable values."""
