"""The room where genomes are judged.

A *pool* runs *jobs* on *slots*. A slot is one worker's share of a device. A worker is a process of
its own: it receives paths and numbers, trains one network at a time and answers with an outcome.
The driver never imports Keras. The training happens behind a socket, so no network can take the
driver down. What judges genomes is the run's *evaluator*: everything around it stays the same.

    contract/   what every pool, worker and evaluator promises, and the messages between them
    training/   how one network is trained by Keras
    local/      worker processes on this machine: start them, watch them, end them
    pools/      who runs the jobs: this machine, the driver itself, a simulation
    known/      tables of results
    evaluators/ what judges: trainings by Keras, a table, a function of the user's

`docs/how-a-worker-lives.md` follows one worker from its start to its end.
"""
