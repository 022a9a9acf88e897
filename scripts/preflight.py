"""Says what is missing before anything is installed.

It runs on any Python, so it is written in a dialect that old ones read.
"""

import importlib.util
import sys

if not (3, 11) <= sys.version_info[:2] < (3, 14):
    sys.exit(
        "evonas needs Python 3.11, 3.12 or 3.13 (TensorFlow has no wheel for others)."
        " Received: Python %d.%d at %s.\n"
        "If another is installed, name it: make PYTHON=/path/to/python3.12 run"
        % (sys.version_info[:2] + (sys.executable,))
    )
missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
if missing:
    sys.exit(
        "Python's module %s is missing, which makes the virtual environment."
        " On Debian and Ubuntu,\n"
        "it is a package of its own:\n"
        "    apt-get install python%d.%d-venv" % ((" and ".join(missing),) + sys.version_info[:2])
    )
