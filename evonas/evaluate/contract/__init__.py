"""What every pool, worker and evaluator promises, and the messages between driver and worker.

The other folders of this room import this one; it imports none of them.
"""
