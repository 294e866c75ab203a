"""Authorization servers: the protocol (by Authlib), pages, keys, and what of it is kept."""
