"""From a user's files to arrays that a worker can train on.

*Sources* read what a user has. *Checks* refuse what a network cannot learn from. *Prepared* data
are split once and measured on their training part. They are written to the run's directory with a
fingerprint.

Nothing here imports Keras.
"""
