"""`tierwise` and `python -m tierwise`: runs a command and turns our errors into one clear message."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the console script. Exit codes: 0 done, 1 wrong, 2 called wrongly, 3 unreachable."""
    from tierwise import cli

    sys.exit(cli.run())


if __name__ == "__main__":
    main()
