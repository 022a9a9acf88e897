"""What can judge genomes: trainings by Keras, a table of known results, a function of the user's.

Each evaluator is one file and keeps the contract of `evonas.evaluate.contract.evaluator.Evaluator`.
"""
