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

from typing import TYPE_CHECKING

from evonas.lazy import exports

if TYPE_CHECKING:
    from evonas.genome.as_graph import Node, drawn, graph
    from evonas.genome.crossover import cross
    from evonas.genome.differences import changes
    from evonas.genome.encoding import decode, encode, sample
    from evonas.genome.genome import Gene, Genome, Value
    from evonas.genome.genome_file import load_genome, parse_genome
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

# Lazy: a reader of a record needs a genome, and neither NumPy nor YAML.
__getattr__, __dir__ = exports(
    __name__,
    {
        "MUTATIONS": "evonas.genome.mutation",
        "Choice": "evonas.genome.parameters",
        "Gene": "evonas.genome.genome",
        "Genome": "evonas.genome.genome",
        "MutationRates": "evonas.genome.mutation",
        "Node": "evonas.genome.as_graph",
        "Number": "evonas.genome.parameters",
        "Op": "evonas.genome.space",
        "Parameter": "evonas.genome.parameters",
        "SearchSpace": "evonas.genome.space",
        "Section": "evonas.genome.space",
        "Value": "evonas.genome.genome",
        "changes": "evonas.genome.differences",
        "cross": "evonas.genome.crossover",
        "decode": "evonas.genome.encoding",
        "drawn": "evonas.genome.as_graph",
        "encode": "evonas.genome.encoding",
        "graph": "evonas.genome.as_graph",
        "load_genome": "evonas.genome.genome_file",
        "load_space": "evonas.genome.space_file",
        "mutate": "evonas.genome.mutation",
        "parse_genome": "evonas.genome.genome_file",
        "parse_space": "evonas.genome.space_file",
        "repair": "evonas.genome.validity",
        "sample": "evonas.genome.encoding",
        "validate": "evonas.genome.validity",
    },
)
