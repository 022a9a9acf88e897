"""The record: one SQLite file for each run, one writer, and the only truth of what happened.

Every other file of a run can be made again from it, or is checked against a sha256 in it.
"""
