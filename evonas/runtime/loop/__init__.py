"""The loop: ask the strategy, hand out jobs, record outcomes, tell; until the budget is spent.

The *engine* is the loop. The other files are its parts: budget, retries, order of turns, storage.
"""
