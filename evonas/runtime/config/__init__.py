"""What a run is: the config's YAML, checked as a whole and parsed into frozen values.

    config_file.py          reads a run's config, its search space and its seed genomes
    config_source.py        the file with the overrides of the command line
    recorded_config.py      a config from the record: with overrides, or with what plugins have
    config_warnings.py      what is allowed and probably not meant
    experiment_file.py      reads an experiment: one config, several strategies and seeds
    run_config.py           the whole config; its sections are in `*_config.py`
    auto_space.py           chooses a space by the data
    space_founders.py       brings the good genomes of a space into the strategy
    wanted_seeds.py         finds the seed genomes that the strategies name
    settings.py             the builder: from plain data to frozen values by type hints
    families.py             what is written by name, and the way back to plain data
    type_hints.py           what a type hint allows, in words
    perhaps.py              what may be meant by a wrong value

Every *issue* names its file, key and allowed values. All issues are reported together.
"""
