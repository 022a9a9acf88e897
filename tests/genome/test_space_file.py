from __future__ import annotations

import time
from pathlib import Path

import pytest

from evonas.errors import InvalidInput, InvalidSpace
from evonas.genome import Choice, Number, load_space, parse_space
from evonas.genome.prior import Prior

ROOT = Path(__file__).parents[2]
GOOD = """
space: s
input: vector
network:
  layers: {length: [1, 4], ops: {dense: {units: {int: [8, 64]}}}}
settings:
  style: {ops: {style: {activation: {choice: [relu, tanh]}}}}
"""


def test_the_shipped_convnet() -> None:
    path = ROOT / "genomes/spaces/convnet.yaml"
    space = load_space(path)
    features, head = space["features"], space["head"]
    assert (space.name, space.input, space.text) == (
        "convnet",
        "image",
        path.read_text(encoding="utf-8"),
    )
    assert (features.low, features.high, features.wiring, features.max_skips) == (1, 12, "skip", 2)
    assert features.merge == Choice(("add", "concat"))
    assert {op.name: op.weight for op in features.ops.values()} == {
        "conv2d": 4,
        "max_pooling": 1,
        "average_pooling": 1,
    }
    conv = features.ops["conv2d"]
    l1 = conv.parameters["l1"]
    assert l1.flat == Number(1e-6, 1e-3, log=True, off=0.0)
    assert l1 == Number(1e-6, 1e-3, log=True, off=0.0, prior=Prior(1e-5, 4.0), off_share=0.9)
    assert conv.shared["activation"] == ("style", "activation")
    assert (head.low, head.high, head.wiring, head.merge) == (0, 2, "chain", None)
    units = head.ops["dense"].parameters["units"]
    assert units == Number(16, 256, log=True, integer=True, prior=Prior(64.0, 2.0))


def test_what_may_be_left_out() -> None:
    space = parse_space("space: s\nsettings: {a: {ops: {b: , c: {}}, length: 2}}", "s.yaml")
    assert (space.about, space.input, space["a"].low, space["a"].high) == ("", None, 2, 2)
    skip = parse_space(GOOD.replace("length: [1, 4],", "length: [1, 4], wiring: skip,"), "s.yaml")[
        "layers"
    ]
    assert (skip.max_skips, skip.merge) == (1, Choice(("add",)))
    concat = parse_space(
        GOOD.replace("length: [1, 4],", "length: 4, wiring: skip, merge: concat,"), "s.yaml"
    )["layers"]
    assert concat.merge == Choice(("concat",))


def test_a_cell_like_another_has_its_keys_but_those_of_its_own() -> None:
    cells = "cells: {a: {length: [2, 5], wiring: dag, ops: {x: {k: 1}}}, b: {like: a, length: 3}}"
    a, b = parse_space(GOOD + cells, "s.yaml").group("cells")
    assert (b.name, b.low, b.high, b.wiring, b.inputs, b.ops) == ("b", 3, 3, "dag", 2, a.ops)
    assert (a.low, a.high, a.sources) == (2, 5, 2)
    assert a.legal(0) == ((-1, -1), (-1, -2), (-2, -2))


def test_numbers_in_a_choice_are_put_in_order_and_keep_their_types() -> None:
    space = parse_space(
        "space: s\nsettings: {a: {ops: {b: {k: {choice: [4, 1, 2.5]}, c: {choice: [z, a]}}}}}",
        "s.yaml",
    )
    parameters = space["a"].ops["b"].parameters
    assert repr(parameters["k"].values) == "(1, 2.5, 4)"
    assert parameters["c"] == Choice(("z", "a"))


def test_ops_of_the_users_own() -> None:
    space = parse_space(GOOD.replace("dense:", "my_pkg.ops:squeeze:"), "s.yaml")
    assert list(space["layers"].ops) == ["my_pkg.ops:squeeze"]


def op(params: str) -> str:
    """GOOD with other parameters of its op."""
    return GOOD.replace("{units: {int: [8, 64]}}", params)


def section(text: str) -> str:
    """GOOD with more in its network section."""
    return GOOD.replace("length: [1, 4],", text)


DENSE = "network.layers.ops.dense"
UNITS = DENSE + ".units"
TWICE = op("{a: {same_as: style.b}}").replace(
    "{choice: [relu, tanh]}", "x, b: {same_as: style.activation}"
)
REFUSED = [
    # the whole file
    ("", "", "must be a mapping"),
    ("[]", "", "must be a mapping"),
    ("space: s", "", "nothing to search"),
    ("space: s\nnetwork:", "network", "must be a mapping"),
    ("space: s\nnetwork: {}\ninput: image", "network", "must be a mapping"),
    (GOOD.replace("input: vector", ""), "", "`input` is missing"),
    (GOOD.replace("space: s", ""), "", "`space`"),
    (GOOD.replace("space: s", "space: 1"), "space", "must be a name"),
    (GOOD.replace("space: s", "space: ../s"), "space", "must be a name"),
    (GOOD.replace("vector", "vectr"), "input", "Did you mean 'vector'"),
    (GOOD + "about: [1]", "about", "must be a sentence"),
    (GOOD.replace("network:", "netwrok:"), "netwrok", "Did you mean 'network'"),
    (GOOD + "cell: {normal: {ops: {a: {}}}}", "cell", "Did you mean 'cells'"),
    # cells and dags
    (GOOD + "cells: {a: {ops: {x: {}}}, b: {like: c}}", "cells.b.like", "one of a"),
    (GOOD + "cells: {a: {ops: {x: {}}}, b: {like: b}}", "cells.b.like", "one of a"),
    (GOOD + "cells: {a: {length: [0, 2], ops: {x: {}}}}", "cells.a.length", "at least one gene"),
    (GOOD + "cells: {layers: {ops: {x: {}}}}", "network.layers", "in cells already"),
    (section("wiring: dag, length: [0, 3],"), "network.layers.length", "at least one gene"),
    (section("wiring: dag, inputs: 5,"), "network.layers.inputs", "an integer in [1, 4]"),
    (section("wiring: dag, max_skips: 2,"), "network.layers.max_skips", "`wiring: skip` only"),
    (section("wiring: dag, merge: add,"), "network.layers.merge", "`wiring: skip` only"),
    (section("wiring: skip, inputs: 2,"), "network.layers.inputs", "`wiring: dag` only"),
    (section("inputs: 2,"), "network.layers.inputs", "`wiring: dag` only"),
    (section("wiring: dag, length: 200, inputs: 4,"), "network.layers.inputs",
     "Lower `inputs` or `length`"),
    (GOOD.replace("style: {ops", "style: {wiring: dag, ops"), "settings.style.wiring",
     "settings are not connected"),
    # sections
    (GOOD.replace("style: {ops", "layers: {ops"), "settings.layers", "in network already"),
    (GOOD.replace("layers:", "space:"), "network.space", "may not have this name"),
    (GOOD.replace("layers:", "my-layers:"), "network.my-layers", "must be a name"),
    ("space: s\ninput: image\nnetwork: {layers: 3}", "network.layers", "must be a mapping"),
    (section("lenght: 3,"), "network.layers.lenght", "Did you mean 'length'"),
    (section("like: style,"), "network.layers.like", "not known"),
    (section("wiring: tree,"), "network.layers.wiring", "must be one of chain, skip, dag"),
    (section("wiring: [skip],"), "network.layers.wiring", "must be one of chain, skip"),
    (section("max_skips: 2,"), "network.layers.max_skips", "`wiring: skip` only"),
    (section("merge: add,"), "network.layers.merge", "`wiring: skip` only"),
    (section("wiring: skip, max_skips: 0,"), "network.layers.max_skips", "an integer in"),
    (section("wiring: skip, max_skips: 1.0,"), "network.layers.max_skips", "an integer in"),
    (section("wiring: skip, merge: {choice: [add, mul]},"), "network.layers.merge",
     "one of add, concat"),
    (section("wiring: skip, merge: {float: [0, 1]},"), "network.layers.merge",
     "one of add, concat"),
    (section("wiring: skip, merge: 3,"), "network.layers.merge", "must be a mapping"),
    (GOOD.replace("style: {ops", "style: {wiring: skip, ops"), "settings.style.wiring",
     "settings are not connected"),
    (section("length: [4, 1],"), "network.layers.length", "must be a number of genes"),
    (section("length: 0,"), "network.layers.length", "must be a number of genes"),
    (section("length: [-1, 2],"), "network.layers.length", "must be a number of genes"),
    (section("length: 201,"), "network.layers.length", "most <= 200"),
    (section("length: [1, 1000000000],"), "network.layers.length", "most <= 200"),
    (section("length: [1, 2, 3],"), "network.layers.length", "must be a number of genes"),
    (section("length: true,"), "network.layers.length", "Received: true"),
    (section("length: 2.0,"), "network.layers.length", "must be a number of genes"),
    (section("weights: {dens: 2},"), "network.layers.weights.dens", "Did you mean 'dense'"),
    (section("weights: {dense: 0},"), "network.layers.weights.dense", "in [0.001, 1000]"),
    (section("weights: {dense: true},"), "network.layers.weights.dense", "in [0.001, 1000]"),
    (section("weights: {dense: [1]},"), "network.layers.weights.dense", "in [0.001, 1000]"),
    (section("weights: 3,"), "network.layers.weights", "must be a mapping"),
    (GOOD.replace("ops: {dense: {units: {int: [8, 64]}}}", "weights: {}"), "network.layers",
     "`ops` is missing"),
    (GOOD.replace("{dense: {units: {int: [8, 64]}}}", "{}"), "network.layers.ops",
     "must be a mapping"),
    (GOOD.replace("dense:", "my:pkg:f:"), "network.layers.ops.my:pkg:f", "must be a name"),
    (op("[1]"), "network.layers.ops.dense", "must be a mapping"),
    # parameters
    (op("{my-units: 3}"), "network.layers.ops.dense.my-units", "must be a name"),
    (op("{lambda: 3}"), "network.layers.ops.dense.lambda", "may not be called"),
    (op("{merge: 3}"), "network.layers.ops.dense.merge", "may not be called"),
    (op("{inputs: {int: [1, 2]}}"), "network.layers.ops.dense.inputs", "may not be called"),
    (op("{units: [8, 16]}"), UNITS, "must be a word"),
    (op("{units: null}"), UNITS, "Received: nothing"),
    (op("{units: 9007199254740993}"), UNITS, "within 2**53"),
    (op("{units: {}}"), UNITS, "must be a mapping"),
    (op("{units: {chioce: [1]}}"), UNITS, "Did you mean 'choice'"),
    (op("{units: {int: [1, 2], float: [1, 2]}}"), UNITS, "exactly one of"),
    (op("{units: {choice: []}}"), UNITS + ".choice", "must be a list of values"),
    (op("{units: {choice: 8}}"), UNITS + ".choice", "must be a list of values"),
    (op("{units: {choice: [8, big]}}"), UNITS + ".choice", "mixes numbers and words"),
    (op("{units: {choice: [1, true]}}"), UNITS + ".choice", "mixes numbers and truth values"),
    (op("{units: {choice: [a, true]}}"), UNITS + ".choice", "mixes truth values and words"),
    (op("{units: {choice: [8, 9, 8]}}"), UNITS + ".choice[2]", "twice"),
    (op("{units: {choice: [1, 1.0]}}"), UNITS + ".choice[1]", "1.0 and 1 are one number"),
    (op("{units: {choice: [a, null]}}"), UNITS + ".choice[1]", "Received: nothing"),
    (op("{units: {choice: [8], off: 0}}"), UNITS + ".off", "not known"),
    (op("{units: {int: [8, 8]}}"), UNITS + ".int", "an empty range"),
    (op("{units: {int: [9, 8]}}"), UNITS + ".int", "an empty range"),
    (op("{units: {int: [8.0, 9.0]}}"), UNITS + ".int", "each an integer"),
    (op("{units: {int: [8]}}"), UNITS + ".int", "[low, high]"),
    (op("{units: {int: 8}}"), UNITS + ".int", "[low, high]"),
    (op("{units: {int: [0, 9007199254740993]}}"), UNITS + ".int", "within 10**12"),
    (op("{units: {int: [0, 8], log: true}}"), UNITS + ".int", "starts above 0"),
    (op("{units: {int: [1, 8], log: yes}}"), UNITS + ".log", "must be true or false"),
    (op("{units: {int: [1, 8], off: 4}}"), UNITS + ".off", "inside of the range"),
    (op("{units: {int: [1, 8], off: 0.0}}"), UNITS + ".off", "an integer"),
    (op("{units: {int: [1, 8], off: null}}"), UNITS + ".off", "an integer"),
    (op("{units: {float: [1, 8], off: none}}"), UNITS + ".off", "a number"),
    (op("{units: {float: [1, 8], of: 0}}"), UNITS + ".of", "Did you mean 'off'"),
    (op("{units: {float: [-1.0, 8], log: true}}"), UNITS + ".float", "starts above 0"),
    (op("{units: {float: [1.00011, 1.00012], log: true}}"), UNITS + ".float", "too narrow"),
    (op("{units: {float: [1, 1.7e308]}}"), UNITS + ".float", "within 1e+300"),
    (op("{units: {float: [a, b]}}"), UNITS + ".float", "each a number"),
    (op("{units: {float: [false, true]}}"), UNITS + ".float", "each a number"),
    (op("{units: {float: [.nan, 1]}}"), UNITS + ".float[0]", "finite"),
    (op("{units: {float: [0, .inf]}}"), UNITS + ".float[1]", "finite"),
    # priors
    (op("{units: {int: [1, 8], prior: 3}}"), UNITS + ".prior", "must be a mapping, such as"),
    (op("{units: {int: [1, 8], prior: {}}}"), UNITS + ".prior", "must be a mapping, such as"),
    (op("{units: {int: [1, 8], prior: {meidan: 3}}}"), UNITS + ".prior.meidan", "'median'"),
    (op("{units: {int: [1, 8], prior: {median: 3}}}"), UNITS + ".prior", "needs spread beside"),
    (op("{units: {int: [1, 8], prior: {spread: 3}}}"), UNITS + ".prior", "needs median beside"),
    (op("{units: {int: [1, 8], prior: {median: 9, spread: 3}}}"), UNITS + ".prior.median",
     "must be a number in the range [1, 8]. Received: 9"),
    (op("{units: {int: [1, 8], prior: {median: 3, spread: 0}}}"), UNITS + ".prior.spread",
     "a distance of at least 0.07"),
    (op("{units: {int: [1, 8], log: true, prior: {median: 3, spread: 1}}}"),
     UNITS + ".prior.spread", "a factor of at least 1.021"),
    (op("{units: {int: [1, 8], prior: {median: 3, spread: true}}}"), UNITS + ".prior.spread",
     "Received: true"),
    (op("{units: {int: [1, 8], prior: {off: 0.5}}}"), UNITS + ".prior.off", "`off` only"),
    (op("{units: {int: [1, 8], off: 0, prior: {off: 1}}}"), UNITS + ".prior.off",
     "in [0.01, 0.99]"),
    (op("{units: {choice: [8, 16], prior: {median: 3}}}"), UNITS + ".prior",
     "weights such as [1, 1], one for each value"),
    (op("{units: {choice: [8, 16], prior: [1]}}"), UNITS + ".prior", "one for each value"),
    (op("{units: {choice: [8, 16], prior: [1, 0]}}"), UNITS + ".prior[1]",
     "a weight in [0.001, 1000]"),
    (op("{units: {choice: [a, b], prior: {c: 1}}}"), UNITS + ".prior.c", "not known"),
    (op("{units: {choice: [a, b], prior: {a: x}}}"), UNITS + ".prior.a", "a weight in"),
    (op("{units: {choice: [a, b], prior: {}}}"), UNITS + ".prior", "weights such as {a: 4}"),
    # suits
    (GOOD + "suits: 3", "suits", "must be a mapping"),
    (GOOD + "suits: {sample: [0, 9]}", "suits.sample", "Did you mean 'samples'"),
    (GOOD + "suits: {samples: [9, 0]}", "suits.samples", "[least, most]"),
    (GOOD + "suits: {size: [null, 9]}", "suits.size", "null for no end"),
    # same_as
    (op("{activation: {same_as: styl.activation}}"), DENSE + ".activation.same_as",
     "Did you mean 'style'"),
    (op("{activation: {same_as: style.activatoin}}"), DENSE + ".activation.same_as",
     "has no 'activatoin'"),
    (op("{activation: {same_as: style}}"), DENSE + ".activation.same_as", "section.parameter"),
    (op("{activation: {same_as: [a, b]}}"), DENSE + ".activation.same_as", "section.parameter"),
    (op("{activation: {same_as: style.activation, log: true}}"), DENSE + ".activation",
     "stands alone"),
    (op("{units: 1, a: {same_as: layers.units}}"), "network.layers.ops.dense.a.same_as",
     "another length than 1"),
    (GOOD.replace("{choice: [relu, tanh]}", "{same_as: style.x}"),
     "settings.style.ops.style.activation.same_as", "no 'x'"),
    (TWICE, "network.layers.ops.dense.a.same_as", "is a `same_as` itself"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key", "words"), REFUSED)
def test_refused_with_file_line_and_key(text: str, key: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_space(text, "dir/s.yaml")
    problem = next((p for p in caught.value.problems if p.key == key), None)
    assert problem is not None, caught.value
    assert words in problem.message
    assert problem.file == "dir/s.yaml"
    assert problem.line > 0 or not text
    assert len(str(problem)) < 400


def test_all_problems_at_once_each_on_its_line() -> None:
    text = (
        "space: s\ninput: vector\nnetwork:\n  a:\n    length: -1\n"
        "    ops:\n      x: {k: {int: [2, 1]}}\n  b: {opps: {}}"
    )
    with pytest.raises(InvalidSpace) as caught:
        parse_space(text, "s.yaml")
    places = [(problem.line, problem.key) for problem in caught.value.problems]
    assert places == [
        (5, "network.a.length"),
        (7, "network.a.ops.x.k.int"),
        (8, "network.b.opps"),
        (8, "network.b"),
    ]
    assert (
        str(caught.value)
        .splitlines()[0]
        .startswith("s.yaml:5: network.a.length: must be a number of genes")
    )


def test_a_look_up_that_would_not_fit_into_memory_is_refused_with_its_size() -> None:
    start = time.monotonic()
    with pytest.raises(
        InvalidSpace, match=r"200 genes with up to 10 skips each have [0-9,]{15,} legal inputs"
    ):
        parse_space(section("length: 200, wiring: skip, max_skips: 10,"), "s.yaml")
    assert time.monotonic() - start < 1
    assert (
        parse_space(section("length: 40, wiring: skip, max_skips: 3,"), "s.yaml")["layers"].high
        == 40
    )


def test_too_many_decisions_are_refused() -> None:
    params = ", ".join(f"p{i}: {{int: [1, 2]}}" for i in range(60))
    with pytest.raises(InvalidSpace, match="at most 10000"):
        parse_space(
            GOOD.replace("length: [1, 4]", "length: 200").replace(
                "{units: {int: [8, 64]}}", f"{{{params}}}"
            ),
            "s",
        )
