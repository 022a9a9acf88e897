"""What is learned, in plain values and NumPy.

*Tasks* read targets, and say what a network ends with and what it is scored by. *Metrics* are one
table: the direction, the bounds and the unit of each stand there and nowhere else. The *interface*
is both ends of every network of a run.

Every room may speak these words, so nothing here imports Keras, reads a file or knows a run.
"""
