"""From a user's files to arrays that a worker can train on.

*Sources* read what a user has, if there is *room* for it in memory. *Checks* refuse what a network
cannot learn from. *Precision* refuses and tells what 32-bit floats would lose. *Prepared* data are
split once and measured on their training part. They are written to the run's directory with a
fingerprint.

Nothing here imports Keras.
"""
