"""From a user's files to arrays that a worker can train on.

A *source* reads what a user has, if there is *room* for it in memory. *Checks* refuse what a
network cannot learn from. *Precision* refuses and tells what 32-bit floats would lose. A *split*
says which samples are for training, for validation and for the test. What the entrance of a network
needs is *fitted* to the training part. *Prepared* data are written to the run's directory with a
fingerprint.

Nothing here imports Keras.
"""
