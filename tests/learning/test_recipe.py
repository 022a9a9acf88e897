"""What a config says of all trainings: weights of classes, losses by name, code of the user's."""

from __future__ import annotations

import json

import numpy as np
import pytest

from evonas.learning.losses import compiled_loss, losses_of, own_loss, power_of
from evonas.learning.recipe import Recipe, unknown_labels, weights_by_class
from evonas.learning.tasks import TASKS

Y = np.array([0, 0, 0, 1, 2, 2])


def test_balanced_weights_are_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_class_weight

    found = weights_by_class("balanced", ("a", "b", "c"), Y)
    assert found.tolist() == pytest.approx(
        compute_class_weight("balanced", classes=np.arange(3), y=Y)
    )
    assert found[Y].mean() == pytest.approx(1.0)
    # A class without a sample in the training data divides nothing by 0.
    rare = weights_by_class("balanced", ("a", "b", "c"), np.array([0, 0, 1]))
    assert rare.tolist() == [0.5, 1.0, 1.0]


def test_weights_by_label():
    for labels, given in (
        ((3, 5), {"5": 2.0}),
        (("no", "yes"), {"yes": 2.0}),
        ((False, True), {"true": 2.0}),
    ):
        found = weights_by_class(given, labels, np.array([0, 1]))
        assert found.tolist() == [1.0, 2.0]
        assert unknown_labels(given, labels) == []
    assert unknown_labels({"4": 1.0, "5": 2.0}, (3, 5)) == ["4"]
    assert unknown_labels("balanced", (3, 5)) == []


def test_a_recipe_says_only_what_is_said():
    assert Recipe().to_json() == {}
    assert Recipe().in_words == ""
    whole = Recipe("m:loss", {"a": 2.0}, ("m:one", "m:two"), "m:fit")
    assert Recipe.from_json(json.loads(json.dumps(whole.to_json()))) == whole
    keys = {"loss": "m:loss", "callbacks[0]": "m:one", "callbacks[1]": "m:two", "fit": "m:fit"}
    assert whole.functions == keys
    assert whole.in_words == (
        "minimizes m:loss; classes have weights; by m:fit with m:one and m:two: a training that is"
        " interrupted begins anew"
    )
    assert Recipe("huber").functions == {}
    assert not Recipe("huber", "balanced").is_by_fit


def test_each_task_has_losses_and_its_own_is_the_first():
    for task in TASKS.values():
        head = task.head(1)
        assert next(iter(losses_of(head))) == own_loss(head).name == head.loss_name
    amount = TASKS["regression"].head(1)
    assert [power_of(name, amount) for name in (None, "mean_absolute_error", "huber", "m:f")] == [
        2,
        1,
        0,
        0,
    ]


def test_a_model_is_compiled_with_what_takes_the_targets_of_the_data():
    amount, label = TASKS["regression"].head(1), TASKS["classification"].head(3)
    huber = compiled_loss("huber", amount, weight=1 / 16)
    assert (huber.loss.keras, huber.arguments, huber.weight) == ("Huber", {"delta": 4.0}, 1 / 16)
    absolute = compiled_loss("mean_absolute_error", amount, weight=1 / 16)
    assert (absolute.loss.keras, absolute.weight, absolute.is_trained) == (
        "MeanAbsoluteError",
        0.25,
        True,
    )
    own = compiled_loss("m:own", amount, weight=1 / 16)
    assert (own.loss.keras, own.weight, own.is_trained) == ("MeanSquaredError", 1 / 16, False)
    focal = compiled_loss("categorical_focal_crossentropy", label)
    assert (focal.loss.keras, focal.is_trained) == ("SparseCategoricalCrossentropy", False)
