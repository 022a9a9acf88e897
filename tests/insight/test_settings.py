"""How a genome is trained, in plain values."""

from __future__ import annotations

from evonas.genome import Gene, Genome, parse_space
from evonas.insight.settings import learning_rate, most_epochs, training_settings

SPACE = """
space: s
input: vector
network: {layers: {ops: {dense: {units: 4}}}}
settings:
  optimizer:
    ops:
      adam: {learning_rate: {float: [1e-4, 1e-1], log: true}, beta_1: 0.75}
      sgd: {learning_rate: 0.5, schedule: cosine, final_fraction: 0.25}
  training: {ops: {training: {batch_size: 32, epochs: {choice: [4, 40]}}}}
"""
BARE = "space: bare\ninput: none\nnetwork: {optimizer: {ops: {a: {}, b: {}}}}\n"


def genome(optimizer: Gene) -> Genome:
    return Genome(
        (
            ("layers", (Gene.make("dense", {}),)),
            ("optimizer", (optimizer,)),
            ("training", (Gene.make("training", {"epochs": 4}),)),
        )
    )


def test_genes_and_constants_of_the_space_are_told_alike():
    space = parse_space(SPACE, "s.yaml")
    adam = genome(Gene.make("adam", {"learning_rate": 0.125}))
    assert training_settings(space, adam) == {
        "optimizer": {
            "name": "adam",
            "learning_rate": 0.125,
            "beta_1": 0.75,
            "schedule": "constant",
        },
        "batch_size": 32,
        "epochs": 4,
    }
    sgd = training_settings(space, genome(Gene.make("sgd", {})))
    assert sgd["optimizer"] == {
        "name": "sgd",
        "learning_rate": 0.5,
        "schedule": "cosine",
        "final_fraction": 0.25,
    }


def test_the_learning_rate_and_the_epochs():
    space = parse_space(SPACE, "s.yaml")
    adam = genome(Gene.make("adam", {"learning_rate": 0.125}))
    assert learning_rate(space, adam) == 0.125
    assert learning_rate(space, genome(Gene.make("sgd", {}))) == 0.5
    # The gene is a wish, and what was asked for is the limit.
    assert (most_epochs(space, adam, 9), most_epochs(space, adam, 3)) == (4, 3)


def test_a_space_without_settings_has_none_whatever_its_sections_are_called():
    space = parse_space(BARE, "bare.yaml")
    bare = Genome((("optimizer", (Gene.make("a", {}),)),))
    assert training_settings(space, bare) == {"optimizer": None}
    assert learning_rate(space, bare) is None
    assert most_epochs(space, bare, 9) == 9


def test_augmentation_is_a_list_of_layers():
    text = SPACE.replace("vector", "image") + (
        "  augmentation: {length: [0, 2], ops: {mixup: {alpha: 0.5}, horizontal_flip: {}}}\n"
    )
    space = parse_space(text, "s.yaml")
    adam = genome(Gene.make("adam", {"learning_rate": 0.125}))
    both = Genome(
        (
            *adam.sections,
            ("augmentation", (Gene.make("horizontal_flip", {}), Gene.make("mixup", {}))),
        )
    )
    found = training_settings(space, both)["augmentation"]
    assert found == [{"name": "horizontal_flip"}, {"name": "mixup", "alpha": 0.5}]
