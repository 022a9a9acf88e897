"""What a trial costs beside its training: engine, record, strategy and simulated pool, with a record on the disk."""

from __future__ import annotations

import hashlib
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.published import SPACES
from benchmarks.sections import paragraph
from evonas import api
from evonas.genome import Genome
from evonas.runtime.config.config_file import load_config
from evonas.runtime.record.record import Record
from evonas.runtime.session import Session

CONFIG = f"""
run: cost
space: {SPACES / "nasbench301.yaml"}
evaluator: {{python: {{function: "benchmarks.engine:judge"}}}}
plugins: [benchmarks.engine]
objective: val_accuracy
training: {{epochs: 98}}
pool: {{simulated: {{workers: 8}}}}
budget: {{trials: 1000}}
"""
SIZES = (1_000, 10_000)
SLOTS, TRIALS = 1_000, 100_000
STRATEGIES: Mapping[str, str] = {
    "evolution (generational)": "{evolution: {population: 1000}}",
    "aging": "{aging: {population: 1000, sample: 50}}",
}


def judge(genome: Genome, epochs: int) -> dict[str, float]:
    """A made-up landscape without a pattern, so that a search goes on finding new genomes; seconds vary by a factor of
    six."""
    digest = hashlib.blake2b(genome.canonical().encode(), digest_size=8).digest()
    quality, speed = (int.from_bytes(part, "big") / 2**32 for part in (digest[:4], digest[4:]))
    return {"val_accuracy": quality, "seconds": epochs * (1 + 5 * speed)}


@dataclass(frozen=True)
class Cost:
    """Of one run.

    Attributes:
        rows: proposals, twins among them.
        trained: trials that are no twins.
        cpu: seconds of this process.
        wall: seconds, in which the disk is waited for.
        commits: transactions of the record.
        now: the virtual clock at the end.
        busy: virtual seconds that workers worked.
    """

    rows: int
    trained: int
    cpu: float
    wall: float
    commits: int
    now: float
    busy: float


def run(strategy: str, trials: int, workers: int = 8, look_ahead: int = 16) -> Cost:
    """A whole search, without the pictures at its end."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cost.yaml"
        file.write_text(CONFIG, encoding="utf-8")
        changes = (f"strategy={strategy}", f"budget.trials={trials}", f"look_ahead={look_ahead}")
        loaded = load_config(
            file, [*changes, f"pool.simulated.workers={workers}", "max_twins_in_a_row=100000"]
        )
        root, _ = api.create(loaded, Path(folder))
        with Session(root) as session:
            commits = _counted(session.record)
            cpu, wall = time.process_time(), time.monotonic()
            engine = session.engine()
            engine.run()
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
            busy = sum(attempt.seconds or 0.0 for attempt in session.record.attempts())
            trained = sum(trial.twin_of is None for trial in engine.trials)
            return Cost(
                len(engine.trials),
                trained,
                cpu,
                wall,
                len(commits),
                session.record.latest_end(),
                busy,
            )


def _counted(record: Record) -> list[str]:
    """Every commit of the record from here on, one entry each."""
    found: list[str] = []
    record._connection.set_trace_callback(
        lambda text: found.append(text) if text == "commit" else None
    )
    return found


def cost(repeats: int) -> str:
    """CPU a trial for evolution, at a thousand and at ten thousand trials; the fastest of three."""
    lines = [
        paragraph(
            """
            Evolution as it comes on the space of NAS-Bench-301 with a made-up landscape (a hash: a few microseconds a
            look-up), 8 simulated workers, the record on the disk; CPU of the whole process, so without waiting for the
            disk; the least of three runs.
            """
        ),
        "",
        "| trials | proposals | CPU a trial | CPU a proposal | wall a trial | commits a trial | memory at the end |",
        "|---|---|---|---|---|---|---|",
    ]
    a_trial, a_proposal, twins = [], [], []
    for size in SIZES:
        least = min((run("evolution", size) for _ in range(3)), key=lambda found: found.cpu)
        a_trial.append(least.cpu / least.trained * 1e3)
        a_proposal.append(least.cpu / least.rows * 1e3)
        twins.append(1 - least.trained / least.rows)
        lines.append(
            f"| {least.trained:,} | {least.rows:,} | {a_trial[-1]:.3f} ms | {a_proposal[-1]:.3f} ms"
            f" | {least.wall / least.trained * 1e3:.2f} ms | {least.commits / least.trained:.2f} | {_memory():.0f} MB |"
        )
        print(lines[-1], flush=True)
    ratio, of_proposals = a_trial[1] / a_trial[0], a_proposal[1] / a_proposal[0]
    lines += ["", paragraph(ratios(ratio, of_proposals, twins))]
    return "\n".join(lines)


def ratios(a_trial: float, a_proposal: float, twins: Sequence[float]) -> str:
    """What the longest run costs beside the shortest, and why it is more a trial than a proposal.

    Args:
        twins: their share of the proposals, in the shortest run and in the longest.
    """
    return f"""
        Ratio of the cost at 10,000 to that at 1,000: {a_trial:.2f} a trial, {a_proposal:.2f} a proposal. The difference
        is twins: {twins[0]:.0%} of the proposals in the short run, {twins[-1]:.0%} in the long one, whose population
        has converged and finds its own relatives again. They train nothing, but are rows, and the trials pay for them.
    """


def slots(repeats: int) -> str:
    """A hundred thousand trials on a thousand simulated workers, generational beside aging evolution; once."""
    lines = [
        paragraph(
            f"""
            {TRIALS:,} trials on {SLOTS:,} simulated workers, look_ahead {2 * SLOTS:,}, told in the order of proposals,
            seconds of a trial spread evenly from one to six times the shortest; one run each. Utilization is the share
            of the workers' virtual time in which they worked.
            """
        ),
        "",
        "| strategy | trials | proposals | utilization | virtual days | CPU | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, strategy in STRATEGIES.items():
        found = run(strategy, TRIALS, SLOTS, 2 * SLOTS)
        share, days = found.busy / (found.now * SLOTS), found.now / 86400
        lines.append(
            f"| {name}, population 1,000 | {found.trained:,} | {found.rows:,} | {share:.1%} | {days:.2f} |"
            f" {found.cpu:.0f} s"
            f" | {_memory():.0f} MB |"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines)


def _memory() -> float:
    """The most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
