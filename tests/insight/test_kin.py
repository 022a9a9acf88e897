from __future__ import annotations

import networkx as nx
import pytest

from evonas.errors import UserError
from evonas.insight.genealogy import genealogy
from evonas.insight.kin import descendants, kin_text, relatives


def test_descendants_are_what_networkx_finds(make_run, objective):
    trials = make_run(96)
    graph = genealogy(trials, objective)
    for trial in trials[::5]:
        assert descendants(trials, trial.id) == nx.descendants(graph, trial.id)


def test_relatives_are_those_that_were_asked_for(family):
    assert relatives(family, 3, up=True, down=False) == {0, 1, 3}
    assert relatives(family, 3, up=False, down=True) == {3, 4, 6}
    assert relatives(family, 3, up=True, down=True) == {0, 1, 3, 4, 6}
    assert relatives(family, 2, up=True, down=True) == {2}
    with pytest.raises(UserError, match="no trial 7"):
        relatives(family, 7, up=True, down=True)


TOLD = """\
Trial 3: 2 ancestors and 2 descendants listed

  gen 0   trial 0   0.5000              sample
  gen 0   trial 1   0.4000              sample
> gen 1   trial 3   0.3000   of 1 and 0   crossover+alter
  gen 2   trial 4   0.3500   of 3         alter
  gen 3   trial 6   0.1000   of 4         promote
"""


def test_the_list_of_relatives(family):
    told = kin_text(family, 3, relatives(family, 3, up=True, down=True))
    assert [line.split() for line in told.splitlines()] == [
        line.split() for line in TOLD.splitlines()
    ]
    assert "infeasible" in kin_text(family, 2, {2})


def test_the_first_trial_has_descendants_too(family, objective):
    found = descendants(family, 0)
    assert found
    assert found == nx.descendants(genealogy(family, objective), 0)
