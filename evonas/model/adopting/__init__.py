"""How a model of the user's becomes a genome: the inverse of `assembly`, for chains of layers.

`layers` reads the layers of a Keras model as plain values. `recognition` finds the genes that have
such layers. `comparison` builds these genes and says where the built layers differ from the
model's. So an op needs one entry, the Keras layers that it begins with (`recognition.LAYERS`).
Whatever else an op does to its layer is found by building it.
"""
