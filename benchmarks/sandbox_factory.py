"""A factory that opens boxes and waits to be killed: `python sandbox_factory.py docker|unshare|... COUNT WORD`."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox


async def main(kind: str, count: int, word: str) -> None:
    """Open `count` boxes, in each a process that is called `word`; say so, and stay."""
    recipes = {
        "docker": DockerSandbox(),
        "unshare": NamespaceSandbox(engine="unshare"),
        "bubblewrap": NamespaceSandbox(engine="bubblewrap"),
    }
    async with recipes[kind].start() as host, AsyncExitStack() as stack:
        for _ in range(count):
            box = await stack.enter_async_context(host.open("base", {}))
            await box.exec(f"(exec -a {word} sleep 600) & echo")
        print("up", flush=True)
        await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
