"""The checks themselves, one module a group of the catalogue."""
