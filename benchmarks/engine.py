"""What a trial costs beside its training.

Counted are engine, record, strategy and simulated pool, with a record on the disk.
"""

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
from evonas import lifecycle
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
    """A made-up landscape: a hash of the genome gives its quality and its seconds.

    It has no pattern, so a search continues to find new genomes. Seconds vary by a factor of six.
    """
    text = genome.canonical()
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    quality = int.from_bytes(digest[:4], "big") / 2**32
    speed = int.from_bytes(digest[4:], "big") / 2**32
    seconds = epochs * (1 + 5 * speed)
    return {"val_accuracy": quality, "seconds": seconds}


@dataclass(frozen=True)
class Cost:
    """What one run cost.

    Attributes:
        rows: number of proposals, with duplicates.
        trained: number of trials that are no duplicates.
        cpu: CPU seconds of this process.
        wall: seconds that passed, with waiting for the disk.
        commits: number of transactions of the record.
        now: virtual clock at the end.
        busy: virtual seconds in which workers worked.
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
        changes = [
            f"strategy={strategy}",
            f"budget.trials={trials}",
            f"look_ahead={look_ahead}",
            f"pool.simulated.workers={workers}",
            "max_twins_in_a_row=100000",
        ]
        loaded = load_config(file, changes)
        root, _ = lifecycle.create(loaded, Path(folder))
        with Session(root) as session:
            commits = _counted(session.record)
            cpu = time.process_time()
            wall = time.monotonic()
            # building the engine is part of the cost
            engine = session.engine()
            engine.run()
            cpu = time.process_time() - cpu
            wall = time.monotonic() - wall
            # counted after the clocks have stopped
            attempts = session.record.attempts()
            busy = sum(attempt.seconds or 0.0 for attempt in attempts)
            trained = sum(trial.twin_of is None for trial in engine.trials)
            return Cost(
                rows=len(engine.trials),
                trained=trained,
                cpu=cpu,
                wall=wall,
                commits=len(commits),
                now=session.record.latest_end(),
                busy=busy,
            )


def _counted(record: Record) -> list[str]:
    """Every commit of the record from here on, one entry each."""
    found: list[str] = []

    def note(statement: str) -> None:
        if statement == "commit":
            found.append(statement)

    # sqlite3 calls this with the text of each statement
    record._connection.set_trace_callback(note)
    return found


def cost(repeats: int) -> str:
    """CPU a trial for evolution, at a thousand and at ten thousand trials; the fastest of three."""
    lines = [
        paragraph(
            """
            Evolution as it comes on the space of NAS-Bench-301 with a made-up landscape (a hash: a
            few microseconds a look-up), 8 simulated workers, the record on the disk; CPU of the
            whole process, so without waiting for the disk; the least of three runs with seed 0.
            """
        ),
        "",
        "| trials | proposals | CPU a trial | CPU a proposal | wall a trial | commits a trial"
        " | memory at the end |",
        "|---|---|---|---|---|---|---|",
    ]
    a_trial = []
    a_proposal = []
    twins = []
    for size in SIZES:
        runs = [run("evolution", size) for _ in range(3)]
        least = min(runs, key=lambda found: found.cpu)
        a_trial.append(least.cpu / least.trained * 1e3)
        a_proposal.append(least.cpu / least.rows * 1e3)
        twins.append(1 - least.trained / least.rows)
        cpu = f"{a_trial[-1]:.3f} ms | {a_proposal[-1]:.3f} ms"
        wall = f"{least.wall / least.trained * 1e3:.2f} ms"
        commits = f"{least.commits / least.trained:.2f}"
        counts = f"{least.trained:,} | {least.rows:,}"
        lines.append(f"| {counts} | {cpu} | {wall} | {commits} | {_memory():.0f} MB |")
        print(lines[-1], flush=True)
    trial_ratio = a_trial[1] / a_trial[0]
    proposal_ratio = a_proposal[1] / a_proposal[0]
    lines += ["", paragraph(ratios(trial_ratio, proposal_ratio, twins))]
    return "\n".join(lines)


def ratios(a_trial: float, a_proposal: float, twins: Sequence[float]) -> str:
    """The cost of the longest run beside the shortest, and why it is more a trial than a proposal.

    Args:
        a_trial: ratio of the cost of a trial, longest run to shortest.
        a_proposal: ratio of the cost of a proposal.
        twins: share of duplicates among the proposals, in the shortest run and in the longest.
    """
    return f"""
        Ratio of the cost at 10,000 to that at 1,000: {a_trial:.2f} a trial, {a_proposal:.2f} a
        proposal. The difference is twins: {twins[0]:.0%} of the proposals in the short run,
        {twins[-1]:.0%} in the long one, whose population has converged and finds its own relatives
        again. They train nothing, but are rows, and the trials pay for them.
    """


def slots(repeats: int) -> str:
    """A hundred thousand trials on a thousand simulated workers, once for each strategy."""
    lines = [
        paragraph(
            f"""
            {TRIALS:,} trials on {SLOTS:,} simulated workers, look_ahead {2 * SLOTS:,}, told in the
            order of proposals, seconds of a trial spread evenly from one to six times the shortest;
            one run each, with seed 0. Utilization is the share of the workers' virtual time in
            which they worked.
            """
        ),
        "",
        "| strategy | trials | proposals | utilization | virtual days | CPU | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, strategy in STRATEGIES.items():
        found = run(strategy, TRIALS, SLOTS, 2 * SLOTS)
        share = found.busy / (found.now * SLOTS)
        days = found.now / 86400
        lines.append(
            f"| {name}, population 1,000 | {found.trained:,} | {found.rows:,} | {share:.1%}"
            f" | {days:.2f} | {found.cpu:.0f} s | {_memory():.0f} MB |"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines)


def _memory() -> float:
    """The most that this process has held, in MB."""
    # Linux gives kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
