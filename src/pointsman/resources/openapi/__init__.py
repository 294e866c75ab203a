"""OpenAPI documents: what they say of JSON bodies, and whether a body is like that."""
