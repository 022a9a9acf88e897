"""From a user's files to arrays that a worker can train on.

*Sources* read what a user has, *checks* refuse what a network cannot learn from, and *prepared* data
are split once, scaled by their training part, and written into the run's directory with a
fingerprint. Nothing here imports Keras.
"""
