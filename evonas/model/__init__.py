"""The *model* room turns a genome into a `keras.Model`.

A model is the built network of one genome: a Keras model that takes one raw sample, as it is in the user's data, and
answers with one prediction in the user's units. The genome's network sections become its layers, in order; the search
space's `interface` decides its two ends. An *op* is an ordinary function from Keras tensor to Keras tensor.

`evonas.model.catalog` says which ops there are without importing Keras, `evonas.learning.interface` what the ends are.
Everything else here imports Keras, so a driver does not import it: `ops` and `merging` make the layers, `assembly` the
model, `optimizers` the optimizer, `size` counts parameters and flops, `table` lists the layers.
"""
