"""Who decides: strategies.

A *strategy* is asked for proposals. Later it is told the outcome of each one. It knows nothing
else: no clock, no disk, no Keras, no run.

    strategy.py     the contract: `ask`, `tell`, and the state that survives a resume
    strategies/     one file a strategy, all of one shape
    selection/ crossover/ replacement/ adaptation/      the parts of evolution, by name
    sampling/       how genomes are drawn before anything is known
    surrogate/      models that predict a genome's fitness
    optuna_study/   what Optuna is shown and asked

`registry.py` lists the names of all strategies and parts for the YAML, and `older_names.py` those
that an older evonas had.
"""
