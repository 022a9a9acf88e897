"""How one network is trained: epochs, early stopping, checkpoints, and the export of a trained one.

A *training* starts from a genome and a seed, and its numbers depend on nothing else. Only this
folder and `evonas.model` work with Keras; the driver never imports the modules that do.
"""
