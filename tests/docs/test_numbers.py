"""The numbers in the guides are those of the code: defaults, limits, sizes of spaces, results."""

from __future__ import annotations

import dataclasses
import inspect
import re
import statistics
from pathlib import Path
from typing import Any

import pytest

from evonas.evaluate.local import channel, slot
from evonas.evaluate.pools import local
from evonas.evaluate.training import learning_curve
from evonas.genome import library, load_space, strict_yaml
from evonas.genome.parameters import OFF_SHARE
from evonas.model.optimizers import FINAL_FRACTION
from evonas.runtime.config.config_file import check
from evonas.runtime.config.limits_config import LimitsConfig, StorageConfig
from evonas.runtime.config.training_config import LearningCurveConfig
from evonas.runtime.loop import disk_guard
from evonas.search import cube, known, variation
from evonas.search.adaptation import ADAPTATIONS
from evonas.search.crossover import CROSSOVERS
from evonas.search.optuna_study.tpe import Tpe
from evonas.search.registry import STRATEGIES
from evonas.search.replacement import REPLACEMENTS
from evonas.search.sampling import SAMPLERS, poisson_disk, sampling, sobol
from evonas.search.sampling.discrepancy import discrepancy, expected
from evonas.search.selection import SELECTIONS
from evonas.search.strategies import generational, grid, optuna_search, particle_swarm
from evonas.search.strategies.guided import PROMISING, GuidedSettings
from evonas.search.surrogate import SURROGATES, basis
from evonas.search.variation import Mutation

ROOT = Path(__file__).parents[2]
DOCS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
TEXTS = {name: " ".join(text.split()) for name, text in DOCS.items()}
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
DECISIONS = {
    path.stem: " ".join(path.read_text(encoding="utf-8").split())
    for path in (ROOT / "docs" / "decisions").glob("*.md")
}
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
GIVEN = re.compile(r"`(\w+)` \((-?\d+(?:\.\d+)?)\)")
"""A setting with its default, such as `size` (3)."""


def settings_of(strategy: str, guide: str, folder: Path) -> Any:
    """The settings in the first block of a guide with this strategy that is not refused."""
    files = [text for text in BLOCK.findall(DOCS[guide]) if "network:" in text]
    for text in files:
        name = text.splitlines()[0].removeprefix("# ")
        (folder / name).write_text(text, encoding="utf-8")
    for text in BLOCK.findall(DOCS[guide]):
        data = strict_yaml.load(text, "guide").data
        chosen = data.get("strategy")
        if "# refused" in text or not isinstance(chosen, dict) or strategy not in chosen:
            continue
        rest = "" if "space" in data else "space: convnet\n"
        rest += "" if "data" in data else "data: {name: digits}\n"
        rest += "" if "budget" in data else "budget: {trials: 96}\n"
        (folder / "guide.yaml").write_text(text + rest, encoding="utf-8")
        checked = check(folder / "guide.yaml")
        assert checked.problems == ()
        assert checked.loaded is not None
        return checked.loaded.config.strategy
    raise AssertionError(f"no block of {guide} has {strategy}")


@pytest.mark.parametrize(
    ("strategy", "guide", "others"),
    [
        ("evolution", "evolution", set()),
        ("cma_es", "other-searches", set()),
        ("particle_swarm", "other-searches", set()),
        ("nelder_mead", "other-searches", set()),
        ("differential_evolution", "other-searches", set()),
        ("model_based", "surrogates", set()),
        ("screened", "surrogates", {"inner"}),
    ],
)
def test_the_first_block_of_a_strategy_has_its_defaults(strategy, guide, others, tmp_path):
    shown = settings_of(strategy, guide, tmp_path)
    defaults = STRATEGIES[strategy]()
    for field in dataclasses.fields(defaults):
        # Founders come in by themselves, from the space.
        if field.name not in {*others, "founders"}:
            assert getattr(shown, field.name) == getattr(defaults, field.name), field.name


@pytest.mark.parametrize("family", [SELECTIONS, REPLACEMENTS], ids=["selection", "replacement"])
def test_the_defaults_in_the_tables_of_evolution(family):
    rows = [line for line in DOCS["evolution"].splitlines() if line.startswith("| `")]
    compared = 0
    for name, kind in family.items():
        for row in rows:
            if not row.startswith(f"| `{name}` |"):
                continue
            for setting, number in GIVEN.findall(row):
                if hasattr(kind(), setting):
                    assert float(number) == getattr(kind(), setting), (name, setting)
                    compared += 1
    assert compared == 3
    for name in ("tournament", "plus", "comma"):
        assert REPLACEMENTS[name]().children is None, "the table says null"
    assert f"`pressure` p, 1 to 2 ({SELECTIONS['rank']().pressure})" in DOCS["evolution"]


def given(text: str, heading: str) -> dict[str, float]:
    """The defaults that a section of a guide names, by setting."""
    section = re.split(" ##+ ", text.split(f"## {heading} ")[1])[0]
    return {name: float(number) for name, number in GIVEN.findall(section)}


def test_rates_of_crossover_mutation_and_adaptation():
    crossover = given(TEXTS["evolution"], "Crossover: how two parents make a child")
    assert crossover == {"rate": CROSSOVERS["uniform"]().rate}
    assert {kind().rate for kind in CROSSOVERS.values()} == {crossover["rate"]}
    mutation = given(TEXTS["evolution"], "Mutation, and rates that adapt")
    defaults, pursuit = Mutation(), ADAPTATIONS["pursuit"]()
    assert mutation["edits"] == defaults.edits
    assert mutation["settings"] == defaults.settings
    assert mutation["pursuit"] == pursuit.pursuit
    assert mutation["floor"] == pursuit.floor == ADAPTATIONS["matching"]().floor
    # `rate` is a setting of the mutation and of an adaptation
    assert f"`rate` ({defaults.rate}) is the probability that a child of two" in TEXTS["evolution"]
    assert pursuit.rate == ADAPTATIONS["matching"]().rate == mutation["rate"]
    assert f"again, up to {variation.TRIES} times" in TEXTS["evolution"]
    assert generational.MATES == 8
    assert "the first of seven more draws" in TEXTS["evolution"]


def test_evolution_with_a_guide():
    assert given(TEXTS["evolution"], "With a guide") == {"children": GuidedSettings.children}
    assert PROMISING == 8
    assert "It finds the eight most promising children." in TEXTS["evolution"]


def test_aging():
    defaults = STRATEGIES["aging"]()
    told = f"The defaults here are {defaults.population} and {defaults.sample},"
    assert told in TEXTS["evolution"]


@pytest.mark.parametrize(
    "heading",
    ["gaussian_process", "forest", "dngo", "screened", "local_search", "seeded"],
)
def test_defaults_in_the_guide_to_surrogates(heading):
    # `seeded` has no defaults for all of its settings that would be valid
    kind = {**STRATEGIES, **SURROGATES}[heading]
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    for name, number in given(TEXTS["surrogates"], heading).items():
        assert number == defaults[name], name


def test_the_network_of_dngo_and_the_particle_swarm():
    assert f"stopped early, after {basis.STEPS} steps" in TEXTS["surrogates"]
    assert particle_swarm.FASTEST == 0.5
    assert "no coordinate moves by more than half the cube's width" in TEXTS["other-searches"]
    factor = STRATEGIES["particle_swarm"]().constriction
    assert f"multiplied by {factor:.2f}" in TEXTS["other-searches"]


def test_limits_of_other_searches():
    text = TEXTS["other-searches"]
    assert f"at most {sobol.MOST_DIMENSIONS:,} dimensions" in text
    assert f"at most {poisson_disk.MOST_DIMENSIONS} dimensions" in text
    assert f"at most {sampling.LARGEST_SET:,}, and for `poisson_disk` at most" in text
    assert f"at most {poisson_disk.LARGEST_SET}." in text
    assert f"a set has {sampling.ROUND} points" in text
    assert f"`levels` ({grid.DEFAULT_LEVELS})" in text
    assert f"one of more than {grid.LARGEST:,}" in text
    assert f"After {cube.MOST_KNOWN} of them in a row" in text
    assert cube.DRAWS == 100
    assert "as long as a hundred random draws find one" in text
    halving = STRATEGIES["hyperband"]()
    assert f"one in `reduction_factor` ({halving.reduction_factor})" in text
    tpe = Tpe()
    assert f"`initial` ({tpe.initial}) trials" in text
    assert f"best of `candidates` ({tpe.candidates}) points" in text
    assert optuna_search.DRAWS == 5
    assert "After five known ones in a row" in text
    assert known.DRAWS == 1000


@pytest.mark.full
def test_how_evenly_samplers_fill_a_space():
    text = TEXTS["other-searches"]
    shares = {}
    # without `poisson_disk` in 7 dimensions, which takes twenty seconds
    for name, dimension in (("sobol", 2), ("sobol", 7), ("poisson_disk", 2)):
        found = [discrepancy(SAMPLERS[name](), dimension, 64, seed) for seed in range(10)]
        share = statistics.fmean(found) / expected(dimension, 64)
        shares[name, dimension] = f"{100 * share:.0f} %"
    few, more = shares["sobol", 2], shares["sobol", 7]
    assert f"`sobol` has {few} of it in a space of 2 decisions, and {more} in one of 7" in text
    assert f"`poisson_disk` has {shares['poisson_disk', 2]} and" in text


CONVNET = load_space(library.find("spaces", "convnet"))


def test_every_text_has_the_number_of_decisions_of_convnet():
    texts = [README, *TEXTS.values(), *DECISIONS.values()]
    number = r"(\d+) (?:and more )?(?:decisions|dimensions)"
    found = []
    for text in texts:
        found += re.findall(rf"`convnet`, of {number}", text)
        found += re.findall(rf"{number}(?: of|, such as) `convnet`", text)
    assert len(found) >= 4
    assert {int(one) for one in found} == {CONVNET.dimension}
    corners = CONVNET.dimension + 1
    assert f"more than the space has dimensions: {corners} in `convnet`" in TEXTS["other-searches"]
    size = STRATEGIES["cma_es"]().size(CONVNET.dimension)
    assert f"in n dimensions: {size} here" in TEXTS["other-searches"]


def test_storage_stopping_and_search_spaces():
    storage = StorageConfig()
    assert f"at least 1, and {storage.keep_best} by default" in TEXTS["storage"]
    assert f"and {storage.free_mb} by default" in TEXTS["storage"]
    assert disk_guard.PATIENCE == 30
    assert "it waits half a minute for space" in TEXTS["storage"]
    rule = LearningCurveConfig()
    text = TEXTS["early-stopping"]
    assert f"and at least {learning_curve.LEAST} epochs. The default is {rule.after}." in text
    assert f"{rule.margin:g}, the default, allows twice as much" in text
    assert learning_curve.DEVIATIONS == 2
    assert "Two standard deviations of the epochs" in text
    assert OFF_SHARE == 0.25
    assert "a value beside the range, in a quarter of the draws" in TEXTS["search-space"]
    assert f"`final_fraction` ({FINAL_FRACTION})" in TEXTS["search-space"]


def test_the_life_of_a_worker():
    text = TEXTS["how-a-worker-lives"]
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(local.LocalPool).parameters.items()
    }
    assert f"a worker is killed after {defaults['recycle_after']} jobs" in text
    assert f"it is not ready within {defaults['start_limit']:g} s" in text
    assert f"still runs after {slot.HANG_UP_LIMIT:g} s" in text
    assert f"{slot.KILL_LIMIT:g} s are over, the process is given up" in text
    assert local.FAILED_STARTS == 3
    assert "After three failed starts in a row" in text
    assert f"or one above {channel.LINE_LIMIT // 2**20} MiB" in text
    assert LimitsConfig().stalled_seconds == 1800
    assert "after half an hour without a sign of life" in README


def test_where_plain_evolution_stands_is_said_as_it_was_measured():
    report = (ROOT / "benchmarks" / "results" / "search.md").read_text(encoding="utf-8")
    ranks = report.split("## Ranks")[1]
    (mean,) = re.findall(r"^\| evolution, as it comes \| ([\d.]+) ", ranks, re.MULTILINE)
    ((place, of),) = re.findall(r"stands: at place (\d+) of (\d+)", ranks)
    told = f"the mean rank {float(mean):.1f} of {of}"
    assert f"{told}, which is the {place}th place" in TEXTS["evolution"]
    assert f"{told}, the {place}th place" in TEXTS["results"]
    assert f"{float(mean):.1f}, the {place}th" in TEXTS["surrogates"]
    assert f"{float(mean):.1f}, the {place}th" in DECISIONS["search"]


def test_guided_evolution_stands_as_it_was_measured():
    report = (ROOT / "benchmarks" / "results" / "development.md").read_text(encoding="utf-8")
    found = report.split("| macro, the best known was found |")[1].split("\n\n")[0]
    within_100 = re.findall(r"^\| ([a-z_]+).*?(?: of 40 .*?\| )(\d+ of 40) ", found, re.MULTILINE)
    counts = {name: count for name, count in within_100 if name != "guided"}
    guided = re.search(r"^\| guided 1 .*?\) \| (\d+ of 40) ", found, re.MULTILINE)
    assert f"in {guided[1]} searches" in TEXTS["results"]
    for name, words in (("optuna", "TPE in"), ("aging", "evolution in"), ("random", "search in")):
        assert f"{words} {counts[name].split()[0]}" in TEXTS["results"]
    row = [guided[1], *(counts[name] for name in ("optuna", "aging", "random"))]
    assert f"40 searches | {' | '.join(one.split()[0] for one in row)} |" in README
    areas = report.split("| lcbench-other | searches |")[1].split("\n\n")[0]
    of = dict(re.findall(r"^\| ([a-z]+)[^|]*\| \d+ \| ([\d.]+) ", areas, re.MULTILINE))
    guided, aging, random = (f"{float(of[name]):.2f}" for name in ("guided", "aging", "random"))
    assert f"is {guided}, aging's {aging} and random search's {random}" in TEXTS["results"]
    assert f"mean regret | {guided} | - | {aging} | {random} |" in README


def test_the_readme_says_of_real_data_and_of_throughput_what_was_measured():
    results = ROOT / "benchmarks" / "results"
    real = (results / "real.md").read_text(encoding="utf-8")
    ahead = re.findall(r"^\* evonas is ahead of (.+) on (\d+) of (\d+):", real, re.MULTILINE)
    counts = {name: (int(won), int(of)) for name, won, of in ahead}
    (random, of), (hyperband, _) = counts["KerasTuner random"], counts["KerasTuner Hyperband"]
    assert of == 9
    assert "on nine data sets, one run each" in README
    assert f"ahead of random search on {random}, of Hyperband on {hyperband} |" in README
    assert f"ahead of TPE on {counts['Optuna TPE'][0]} |" in README
    trees = counts["boosted trees"]
    assert f"ahead of them on {trees[0]} of {trees[1]}." in README
    throughput = (results / "throughput.md").read_text(encoding="utf-8")
    times = re.findall(r"^\* evonas has ([\d.]+) .* trials a minute", throughput, re.MULTILINE)
    assert f"[{' and '.join(times)} times]" in README


def test_the_readme_has_the_row_without_founders_of_the_results():
    rows = re.findall(
        r"^\| (evolution|random) \| ([\d.]+ ± [\d.]+) ", DOCS["results"], re.MULTILINE
    )
    found = dict(rows)
    assert f"validation loss | {found['evolution']} | - | - | {found['random']} |" in README


SHARE = re.compile(r"\b(\d+) % \((\d+) to (\d+)(?: %)?\)(?:[^|]*? of (\d+) runs)?")


@pytest.mark.parametrize("text", [TEXTS["surrogates"], TEXTS["evolution"]])
def test_shares_of_runs_have_their_exact_intervals(text):
    from benchmarks.intervals import bracket

    compared = 0
    for percent, low, high, total in SHARE.findall(text):
        if total:
            count = round(int(percent) / 100 * int(total))
            assert bracket(count, int(total)) == f"({low}% to {high}%)", percent
            compared += 1
    assert compared or text == TEXTS["evolution"]
