"""The loop: ask the strategy, hand out jobs, record outcomes, tell; until the budget is spent.

The *engine* is the loop. It speaks to the strategy by a *dialogue*, hands trials to workers by a
*dispatch*, and keeps what it does in a *journal*, which is the record. The other files are parts of
these: budget, retries, order of turns, storage.
"""
