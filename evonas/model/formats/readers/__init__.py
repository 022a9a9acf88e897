"""Load exported files where there is no evonas.

Each module is a program text of its own: it imports nothing of evonas, and has a function `load`,
which takes the path and gives the function that predicts. `evonas.model.formats.alone` runs it.
"""
