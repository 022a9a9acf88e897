"""Judges of genomes that do not train with Keras: a table of known results, or a user's function.

An *evaluator* takes the place of the training in a worker. Everything around it stays the same.
"""
