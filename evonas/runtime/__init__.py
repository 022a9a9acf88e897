"""Who keeps the promises: a **run** is one execution of one config, and everything it must survive is handled here.

`config` says what a run is, `engine` asks, hands out, records and tells, `record` is the only truth of it, and a
`session` is one driver at work on it: it holds the lock, the record and the pool.
"""
