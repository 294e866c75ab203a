"""Consumers and credentials that are kept, and what of them proxies get."""
