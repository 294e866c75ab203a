"""An OpenAPI document of a pet shop, as far as its bodies go."""

from typing import Any

PET: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 10, "pattern": "^[a-z]+$"},
        "age": {"type": "integer", "minimum": 0},
        "friends": {"type": "array", "maxItems": 3, "items": {"$ref": "#/components/schemas/Pet"}},
    },
}


def document(version: str = "3.1.0", **more: Any) -> dict[str, Any]:
    """The document."""
    json = {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}
    body = {"required": True, "content": json}
    parts = {"content": {**json, "text/csv": {}}}
    return {
        "openapi": version,
        "info": {"title": "pets", "version": "1"},
        "servers": [{"url": "https://shop.example/v1"}],
        "paths": {
            "/pets": {"get": {}, "post": {"requestBody": body}, "put": {"requestBody": parts}},
            "/pets/{id}": {
                "patch": {"requestBody": {"$ref": "#/components/requestBodies/Part"}},
            },
            "/pets/mine": {"patch": {"requestBody": parts}},
        },
        "components": {
            "schemas": {"Pet": PET},
            "requestBodies": {
                "Part": {
                    "content": {
                        "application/merge-patch+json": {"schema": {"minProperties": 1}},
                    }
                }
            },
        },
        **more,
    }
