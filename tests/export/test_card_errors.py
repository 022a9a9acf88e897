"""What the page of a card tells of errors and of neighbours."""

from __future__ import annotations

import pytest

from evonas.export.card_errors import neighbour_rows, recall_rows, residual_rows
from evonas.export.card_page import card_page

CARD = {
    "run": "words",
    "trial": 7,
    "task": "classification",
    "input_shape": [5],
    "classes": ["fig", "plum"],
    "metrics": {"test_accuracy": 0.75},
    "forms": {},
    "left_out": {},
    "data": {},
    "training": {},
    "strategy": ["random"],
    "space": {"name": "mlp"},
    "objectives": ["val_loss"],
    "generation": 1,
    "operator": "random",
    "parents": [],
    "errors": {"recall": [0.5, 1.0], "support": [2, 2], "confusion": [[1, 1], [0, 2]]},
    "neighbours": {
        "linear": {
            "metrics": {"val_accuracy": 0.9, "test_accuracy": 0.5},
            "gain": {"accuracy": {"difference": -0.25, "low": -0.5, "high": 0.0}},
            "seconds": 0.125,
            "latency_ms": 0.25,
            "samples": 1500,
        },
        "boosted_trees": {"left_out": "it was not fitted within 5 seconds"},
    },
}


def test_the_page_has_the_tables():
    page = card_page(CARD, {})
    assert "\n## Other models\n" in page
    linear = "| linear model | accuracy 0.5 | accuracy -0.25 (-0.5 to +0) | 0.12 | 0.25 | 1,500 |"
    assert linear in page
    assert "| boosted trees | left out: it was not fitted within 5 seconds |" in page
    assert page.count("\n## Errors\n") == 1
    assert "| class | samples | recall | as fig | as plum |\n" in page
    assert "| fig | 2 | 0.5000 | 1 | 1 |\n| plum | 2 | 1.0000 | 0 | 2 |" in page


def test_a_card_without_a_test_has_none_of_them():
    bare = {key: value for key, value in CARD.items() if key not in ("errors", "neighbours")}
    page = card_page(bare, {})
    assert "## Errors" not in page
    assert "## Other models" not in page
    assert neighbour_rows(bare)[1] == recall_rows(bare)[1] == residual_rows(bare)[1] == []


@pytest.mark.parametrize("classes", [20, 21])
def test_a_matrix_of_many_classes_stays_in_the_file(classes):
    matrix = [[int(row == column) for column in range(classes)] for row in range(classes)]
    errors = {"recall": [1.0] * (classes - 1) + [None], "support": [1] * (classes - 1) + [0]}
    card = {"classes": list(range(classes)), "errors": {**errors, "confusion": matrix}}
    heads, rows = recall_rows(card)
    assert len(rows) == classes
    assert all(len(row) == len(heads) for row in rows)
    assert len(heads) == (23 if classes == 20 else 3)
    assert rows[-1][:3] == (str(classes - 1), "0", "")


def test_targets_without_numbers_have_empty_cells():
    residuals = {"depth": {"not_finite": 3}, "heat": {"0": -1.0, "0.5": 0.25, "1": 2.0}}
    heads, rows = residual_rows({"errors": {"residuals": residuals}})
    assert heads == ("target", "not finite", "0", "0.5", "1")
    assert rows == [("depth", "3", "", "", ""), ("heat", "", "-1", "0.25", "2")]
