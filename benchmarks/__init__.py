"""Measurements against peers and published tables; not tests.

Each prints its machine, its versions, its seeds and its spread.
"""
