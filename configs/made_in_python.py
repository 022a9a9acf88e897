"""Data of `iris.yaml` and `topics.yaml`: functions without arguments give them."""

from typing import Any

import numpy as np
import polars as pl
from sklearn.datasets import load_iris, make_multilabel_classification


def irises() -> pl.DataFrame:
    """150 irises, the petals of which are to be predicted. A frame has columns of words, too."""
    iris = load_iris()
    names = [name.removesuffix(" (cm)") for name in iris.feature_names]
    frame = pl.DataFrame(dict(zip(names, iris.data.T, strict=True)))
    return frame.with_columns(pl.Series("species", iris.target_names[iris.target]))


def documents() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """How often 20 words occur in each of 1,500 made-up documents, and which topics it has."""
    # The same samples whenever it is called: a seed is needed.
    return make_multilabel_classification(n_samples=1500, n_classes=5, random_state=0)
