from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from evonas.errors import InvalidGenome
from evonas.genome import Gene, Genome
from evonas.genome.genome import positions

CONV = Gene.make("conv", {"filters": 8, "rate": 0.0}, (), 1)
POOL = Gene.make("pool", {"merge": "add"}, (0, 1), 7)
BOTH = Genome(
    (("features", (CONV, Gene("relu", (), (), 2), POOL)), ("style", (Gene("style", (), (), 1),)))
)


def test_innovation_numbers_are_no_part_of_identity() -> None:
    renumbered = BOTH.with_section(
        "features",
        [
            Gene.make("conv", CONV.parameters, (), 50),
            Gene("relu", (), (), 51),
            Gene("pool", POOL.params, (0, 50), 52),
        ],
    )
    assert renumbered == BOTH
    assert hash(renumbered) == hash(BOTH)
    assert renumbered.digest == BOTH.digest
    assert renumbered.to_dict() != BOTH.to_dict()


def test_input_positions_are_part_of_identity() -> None:
    moved = BOTH.with_section(
        "features", [*BOTH["features"][:2], Gene("pool", POOL.params, (0, 2), 7)]
    )
    assert moved != BOTH
    assert moved.digest != BOTH.digest


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "true", "1.0"])
def test_values_that_python_takes_for_equal_are_different(value: Any) -> None:
    others = [
        other
        for other in (1, 1.0, True, "1", "true", "1.0")
        if type(other) is not type(value) or other != value
    ]
    genome = Genome((("s", (Gene.make("op", {"p": value}, (), 1),)),))
    for other in others:
        assert genome != Genome((("s", (Gene.make("op", {"p": other}, (), 1),)),))


def test_the_order_of_sections_and_parameters_makes_no_difference() -> None:
    turned = Genome(tuple(reversed(BOTH.sections)))
    assert turned == BOTH
    assert (
        Gene("a", (("y", 1), ("x", 2)), (), 1).parameters
        == Gene.make("a", {"x": 2, "y": 1}, (), 1).parameters
    )


def test_the_digest_is_the_same_in_every_process_and_for_ever() -> None:
    assert BOTH.digest == "4d1656c14b639ff0"
    code = (
        "import json,sys; from evonas.genome import Genome;"
        " print(Genome.from_dict(json.load(sys.stdin)).digest)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(BOTH.to_dict()),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == BOTH.digest


def test_to_dict_and_back_keeps_everything() -> None:
    back = Genome.from_dict(json.loads(json.dumps(BOTH.to_dict())))
    assert back.sections == BOTH.sections


def test_access() -> None:
    assert BOTH.names == ("features", "style")
    assert list(BOTH) == ["features", "style"]
    assert BOTH["features"][0]["filters"] == 8
    assert "style" in BOTH
    assert BOTH.get("nothing") == ()
    assert positions(BOTH["features"]) == ((), (), (-1, 0))
    with pytest.raises(KeyError, match="Did you mean 'filters'"):
        CONV["filter"]
    with pytest.raises(KeyError, match="no section 'feature'"):
        BOTH["feature"]
    with pytest.raises(KeyError, match="no section"):
        BOTH.with_section("head", ())


def gene(**changed: Any) -> dict[str, Any]:
    return {"op": "a", "params": {}, "inputs": [], "innovation": 1} | changed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "must be a mapping of sections"),
        ({"s": 1}, "s: must be a list of genes"),
        ({"s": [1]}, r"s\[0\]: a gene has the keys"),
        ({"s": [gene() | {"x": 1}]}, "a gene has the keys"),
        ({"s": [gene(op="")]}, "op: must be the name"),
        ({"s": [gene(params=[1])]}, "params: must be a mapping"),
        ({"s": [gene(params={"p": None})]}, "params.p: must be a word"),
        ({"s": [gene(params={"p": float("nan")})]}, "finite"),
        ({"s": [gene(params={"p": [1]})]}, "params.p"),
        ({"s": [gene(inputs=["0"])]}, "inputs: must be a list"),
        ({"s": [gene(inputs=[True])]}, "inputs: must be a list"),
        ({"s": [gene(inputs=[9])]}, "names gene 9"),
        ({"s": [gene(innovation=0)]}, "innovation: must be an integer above 0"),
        ({"s": [gene(), gene()]}, "same innovation number"),
    ],
)
def test_malformed_data_are_refused(data: Any, words: str) -> None:
    with pytest.raises(InvalidGenome, match=words):
        Genome.from_dict(data)


def test_all_problems_are_listed_and_short() -> None:
    with pytest.raises(InvalidGenome) as caught:
        Genome.from_dict({"s": [gene(op=1), gene(innovation="x" * 10_000)], "t": 3})
    assert [problem.key for problem in caught.value.problems] == ["s[0].op", "s[1].innovation", "t"]
    assert len(str(caught.value)) < 500


def test_dangling_inputs_have_no_position() -> None:
    with pytest.raises(InvalidGenome, match="names gene 3"):
        positions((Gene("a", (), (3,), 1),))


def stored(genome: Genome, texts: list[str]) -> Genome:
    """The genome as a record gives it; texts that are decoded are noted."""

    def decode(text: str) -> Genome:
        texts.append(text)
        return Genome.from_dict(json.loads(text))

    return Genome.stored(json.dumps(genome.to_dict()), genome.digest, decode)


def two_sections() -> Genome:
    genes = (Gene.make("conv", {"filters": 8}, (), 1), Gene.make("dense", {}, (), 2))
    return Genome((("layers", genes), ("optimizer", (Gene.make("adam", {}, (), 1),))))


def test_a_stored_genome_is_decoded_at_its_first_use_and_once() -> None:
    genome = two_sections()
    texts: list[str] = []
    lazy = stored(genome, texts)
    assert lazy.digest == genome.digest
    assert lazy == genome
    assert hash(lazy) == hash(genome)
    assert lazy.ops == genome.ops == ("conv", "dense", "adam")
    assert texts == []
    assert lazy.sections == genome.sections
    assert lazy["layers"] == genome["layers"]
    assert len(texts) == 1
    assert repr(lazy) == repr(genome)


def test_a_part_and_a_decoded_copy_leave_a_stored_genome_small() -> None:
    genome = two_sections()
    texts: list[str] = []
    lazy = stored(genome, texts)
    assert lazy.part("optimizer") == genome.part("optimizer") == genome["optimizer"]
    assert lazy.part("none") == genome.part("none") == ()
    assert [list(json.loads(text)) for text in texts] == [["optimizer"]]
    copy = lazy.decoded()
    assert copy.sections == genome.sections
    assert copy.digest == genome.digest
    assert len(texts) == 2
    assert lazy.decoded() is not copy
    assert genome.decoded() is genome


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"layers": 7}', '{"layers": [{}]}', '{"layers": [7]}']
)
def test_a_stored_genome_that_cannot_be_decoded_says_so_at_any_use(text: str) -> None:
    def decode(text: str) -> Genome:
        try:
            return Genome.from_dict(json.loads(text))
        except (ValueError, InvalidGenome) as error:
            raise RuntimeError("told by whoever decodes") from error

    uses = (
        lambda genome: genome.ops,
        lambda genome: genome.part("layers"),
        lambda genome: genome.sections,
        lambda genome: genome.decoded(),
    )
    for use in uses:
        with pytest.raises(RuntimeError, match="told by whoever decodes"):
            use(Genome.stored(text, "0" * 16, decode))


def test_an_attribute_that_no_genome_has_is_an_error_as_ever() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fitness'"):
        _ = two_sections().fitness  # type: ignore[attr-defined]
