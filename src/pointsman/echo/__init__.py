"""Demo backends that tell a client which virtual node answered, and what reached it."""
