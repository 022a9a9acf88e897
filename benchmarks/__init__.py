"""Measurements against peers and published tables; not tests. Each prints its machine, versions, seeds and spread."""
