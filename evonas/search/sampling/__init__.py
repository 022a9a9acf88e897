"""Sampling: where in the unit cube genomes are drawn.

Each sampler has a file of its own. A new sampler needs a file and a line in `SAMPLERS`;
`uniform.py` is a short example to copy.
"""

from evonas.search.sampling.halton import Halton
from evonas.search.sampling.hammersley import Hammersley
from evonas.search.sampling.latin_hypercube import LatinHypercube
from evonas.search.sampling.poisson_disk import PoissonDisk
from evonas.search.sampling.sampling import Design, Points, Sampler, misfits
from evonas.search.sampling.sobol import Sobol
from evonas.search.sampling.uniform import Uniform

SAMPLERS: dict[str, type[Sampler]] = {
    "uniform": Uniform,
    "sobol": Sobol,
    "halton": Halton,
    "hammersley": Hammersley,
    "latin_hypercube": LatinHypercube,
    "poisson_disk": PoissonDisk,
}

__all__ = [
    "SAMPLERS",
    "Design",
    "Halton",
    "Hammersley",
    "LatinHypercube",
    "Points",
    "PoissonDisk",
    "Sampler",
    "Sobol",
    "Uniform",
    "misfits",
]
