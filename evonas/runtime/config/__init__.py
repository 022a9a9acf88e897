"""What a run is: the config's YAML, checked as a whole and parsed into frozen values.

Every *issue* names its file, key and allowed values. All issues are reported together.
"""
