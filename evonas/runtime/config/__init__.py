"""What a run is: the config's YAML, checked as a whole and parsed into frozen values.

    config_file.py          reads a run's config, its search space and its seed genomes
    experiment_file.py      reads an experiment: one config, several strategies and seeds
    run_config.py           the whole config; its sections are in `*_config.py`
    wanted_seeds.py         finds the seed genomes that the strategies name
    settings.py             the builder: from plain data to frozen values by type hints

Every *issue* names its file, key and allowed values. All issues are reported together.
"""
