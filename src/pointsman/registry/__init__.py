"""Instances of services, as AWS Cloud Map keeps them, wherever they are registered."""
