"""`datafactory images build`: the images that the docker sandbox opens boxes from."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import get_args

from datafactory import registry
from datafactory.cli.printing import clean
from datafactory.errors import ConfigError, Missing


def build(names: Sequence[str], how: str) -> None:
    """Build `names`, or all images. Raises ConfigError, Missing (engine, tool or root), SandboxError."""
    package = registry.table("sandbox")["docker"].partition(":")[0].rpartition(".")[0]
    try:
        builder = importlib.import_module(f"{package}.imagery")
    except ModuleNotFoundError as error:
        raise Missing(f"building images needs the package {error.name!r}: pip install datafactory") from error
    known = get_args(builder.How)
    if how not in known:
        raise ConfigError(f"--how {how}{registry.suggest(how, known)}")
    unknown = [name for name in names if name not in builder.NAMES]
    if unknown:
        raise ConfigError([f"no image {name!r}{registry.suggest(name, builder.NAMES)}" for name in unknown])
    built = builder.build_images(names or builder.NAMES, how=how, say=lambda line: print(clean(line), file=sys.stderr))
    for name, digest in built.items():
        print(f"{name}  {digest}")
