"""What the user takes home: the verified model.

An export rebuilds a trial's model from its genome and its recorded weights, in a worker. It counts
only if the rebuilt model scores what the record says, and if the file, loaded again, predicts what
the model did.
"""
