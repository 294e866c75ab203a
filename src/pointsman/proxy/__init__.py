"""Envoy as a program: finding it, configuring its start, running it, asking it, ending it."""
