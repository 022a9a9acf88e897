"""A study of Optuna's, filled with what is known, for one ask.

Optuna is an extra of evonas and takes half a second to import. `study.py` and `tree.py` import it
at once, so they are imported only when a strategy asks Optuna. `tpe.py` imports it when it makes
the sampler.
"""
