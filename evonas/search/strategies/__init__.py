"""Every strategy that a config can name, one file each.

`random_search.py` is the shortest and the best one to read first. `aging.py` is the shortest one
that learns.
"""
