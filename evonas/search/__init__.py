"""Who decides: strategies.

A **strategy** is asked for proposals and told what became of them, and that is all it knows: no clock, no disk, no
Keras, no run. One file a strategy, all of one shape (`evonas.search.strategy.Strategy`); `registry.py` names them for
the YAML. Evolution is put together from parts that have names of their own: `selection/`, `crossover/`, `replacement/`.
Whoever draws genomes from the prior can do so by any of `sampling/`.
"""
