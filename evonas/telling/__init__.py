"""What a person is told while a search goes on: on a terminal, in a log, in a notebook."""
