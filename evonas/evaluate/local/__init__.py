"""Worker processes on this machine: how they are started, watched and ended.

A *slot* has at most one worker at a time. A *launcher* starts workers, most often by way of the
*fork server*. `docs/how-a-worker-lives.md` follows one worker from its start to its end.
"""
