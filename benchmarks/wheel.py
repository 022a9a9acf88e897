"""`make wheel-test`: the built wheel runs `evonas run digits` outside the checkout.

It is installed into an environment of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        outside = Path(scratch)
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(outside), str(CHECKOUT)]
        subprocess.run(build, check=True)
        (wheel,) = outside.glob("*.whl")
        venv.create(outside / "venv", with_pip=True)
        python = outside / "venv" / "bin" / "python"
        pins = ["--constraint", str(CHECKOUT / "constraints.txt")]
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", *pins, str(wheel)], check=True
        )
        # a working folder outside the checkout, so that the checkout's own package is not found
        where = [
            str(python),
            "-c",
            "import evonas; print('evonas is imported from', evonas.__file__)",
        ]
        subprocess.run(where, check=True, cwd=outside)
        command = [str(python.with_name("evonas")), "run", "digits", *sys.argv[1:]]
        subprocess.run(command, check=True, cwd=outside)


if __name__ == "__main__":
    main()
