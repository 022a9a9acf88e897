"""What is learned, in plain values: what goes into a model and what comes out of it.

Every room may speak these words, so nothing here imports Keras, reads a file or knows a run.
"""
