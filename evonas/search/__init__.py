"""Who decides: strategies.

A *strategy* is asked for proposals and told what became of them. It knows nothing else: no clock, no
disk, no Keras, no run.

    strategies/     one file a strategy, all of one shape (`evonas.search.strategy.Strategy`)
    selection/ crossover/ replacement/ adaptation/      the parts of evolution, by name
    sampling/       how genomes are drawn before anything is known
    surrogate/      models that predict a genome's fitness
    optuna_samplers/    samplers of Optuna

`registry.py` names them all for the YAML.
"""
