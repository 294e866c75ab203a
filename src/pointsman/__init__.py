"""Pointsman: Python decides, Envoy carries."""

__version__ = "0.1.0"
