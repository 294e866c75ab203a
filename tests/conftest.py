"""Profiles of the property tests: `default` is quick, `thorough` is for a night."""

from hypothesis import settings

settings.register_profile("default", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile("default")
