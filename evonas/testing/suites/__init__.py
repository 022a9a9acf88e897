"""Contract suites: what each member of a family promises, as tests that run over any member.

A suite is an abstract test class. Its tests run for each of `members`, which a subclass names:

    from evonas.testing import StrategySuite
    from my_walk import Walk

    class TestWalk(StrategySuite):
        members = {"as it comes": Walk(), "long steps": Walk(edits=5)}

pytest collects `TestWalk` as any other class of tests. evonas's own members are held to the same
suites, in `tests/contracts/`. Each suite has a file of its own, and needs pytest.
"""

from pathlib import Path

import pytest

# Before the suites are imported: so their asserts say what was compared.
for _path in Path(__file__).parent.glob("[!_]*.py"):
    pytest.register_assert_rewrite(f"{__name__}.{_path.stem}")
