"""Compositions of the layers below, one for each thing Pointsman can be."""
