"""What can be searched.

A **genome** is the encoded network: a few named sections, each an ordered list of genes. A **gene**
is one op with its parameters, its inputs if the section is wired, and an innovation number. The
number aligns a gene with its relatives in other genomes. A **search space** says which genomes
there are, and is read from YAML.

    mutate, cross              how genomes become others
    encode, decode, sample     how genomes lie in the unit cube
    changes                    what differs between two genomes

All of it is pure values: no Keras, no clock, and no disk except the files that are named.
"""

from __future__ import annotations

from evonas.genome.changes import changes
from evonas.genome.crossover import cross
from evonas.genome.encoding import decode, encode, sample
from evonas.genome.genome import Gene, Genome, Value
from evonas.genome.genome_file import load_genome, parse_genome
from evonas.genome.graph import Node, drawn, graph
from evonas.genome.mutation import MUTATIONS, MutationRates, mutate
from evonas.genome.parameters import Choice, Number, Parameter
from evonas.genome.space import Op, SearchSpace, Section
from evonas.genome.space_file import load_space, parse_space
from evonas.genome.validity import repair, validate

__all__ = [
    "MUTATIONS",
    "Choice",
    "Gene",
    "Genome",
    "MutationRates",
    "Node",
    "Number",
    "Op",
    "Parameter",
    "SearchSpace",
    "Section",
    "Value",
    "changes",
    "cross",
    "decode",
    "drawn",
    "encode",
    "graph",
    "load_genome",
    "load_space",
    "mutate",
    "parse_genome",
    "parse_space",
    "repair",
    "sample",
    "validate",
]
