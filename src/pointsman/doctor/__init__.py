"""Checks of manifests, proxies and traffic, each with its evidence and what to do about it."""
