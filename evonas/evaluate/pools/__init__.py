"""Who runs jobs: processes on this machine, the driver itself, or a simulation on a virtual clock.

Each pool is one file and keeps the contract of `evonas.evaluate.contract.pool.Pool`.
"""
