"""Who keeps the promises: a *run* is one execution of one config, and this room makes it survive.

    config/     what a run is: the YAML, checked and parsed into one tree of frozen values
    record/     the only truth of a run: one SQLite file, its schema, its readers and its checksum
    loop/       what happens: ask, hand out, record, tell, until the budget is spent

Above these, a *session* is one driver at work on a run: it holds the lock, the record and the pool.
`docs/how-a-run-works.md` follows one run from its config to its exported winner.
"""
