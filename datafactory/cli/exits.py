"""From errors to words on standard error, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

DONE, FAILED, MISTAKE, LOST, FUSE, MISSING, CAPPED, STOPPED = 0, 1, 2, 3, 4, 5, 6, 130


@contextmanager
def said() -> Iterator[None]:
    """Say an error of ours plainly and exit with its code; a mistake in our own code keeps its traceback."""
    from datafactory.errors import ConfigError, FactoryError, FuseBlown, Missing

    try:
        yield
    except ConfigError as error:
        count = len(error.problems)
        _say(error.problems, f"{count} mistakes; nothing was run." if count > 1 else "")
        sys.exit(MISTAKE)
    except FuseBlown as error:
        _say([str(error)])
        sys.exit(FUSE)
    except Missing as error:
        _say([str(error)])
        sys.exit(MISSING)
    except FactoryError as error:
        _say([str(error)])
        sys.exit(FAILED)
    except KeyboardInterrupt:
        _say(["stopped"])
        sys.exit(STOPPED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)


def _say(lines: list[str], end: str = "") -> None:
    from datafactory.cli.printing import clean  # an error may quote what a box or a server said

    for line in lines:
        print(f"error: {clean(line)}", file=sys.stderr)
    if end:
        print(end, file=sys.stderr)
