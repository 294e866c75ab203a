"""Bodies of requests, compared with what an OpenAPI document says of them."""
