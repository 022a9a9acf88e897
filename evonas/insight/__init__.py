"""Insight: what happened in a run, told from its trials alone.

An **insight** is a pure function of trials: a graph (`genealogy.genealogy`), a text (`genealogy.to_text`), a picture
(`climb.climb_svg`) or plain numbers (`summary.summarize`). Nothing here opens a record, builds a network or draws a
random number, and the same trials always give the same insight.
"""
