"""Debian's Chromium, told what to do through its own DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE = 20.0
"""Seconds that a page may take."""


class Tab:
    """One page that is open."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []
        """What the browser told without being asked: requests, messages of its console, errors."""

    async def send(self, method: str, **given: Any) -> dict[str, Any]:
        """One command; gives its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": given})
        while True:
            said = json.loads((await self._socket.receive(timeout=PATIENCE)).data)
            if said.get("id") == self._number:
                assert "error" not in said, said
                return dict(said["result"])
            self.events.append(said)

    async def value(self, expression: str) -> Any:
        """What an expression comes to in the page."""
        said = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until it is true in the page."""
        async with asyncio.timeout(PATIENCE):
            while not await self.value(f"Boolean({expression})"):
                await asyncio.sleep(0.03)

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        for kind in ("keyDown", "keyUp"):
            await self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, **({"text": text} if kind == "keyDown" else {})
            )

    async def open(self, address: str, width: int = 1280, height: int = 900) -> None:
        """Go to an address in a window of so many pixels, and wait until the page says that it is drawn."""
        await self.send("Page.enable")
        await self.send("Runtime.enable")
        await self.send("Network.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        await self.send("Emulation.setDeviceMetricsOverride", **size)
        await self.send("Page.navigate", url=address)
        await self.until("document.documentElement?.dataset.ready")

    async def picture(self, to: Path) -> None:
        """What the window shows, as PNG."""
        to.write_bytes(base64.b64decode((await self.send("Page.captureScreenshot"))["data"]))


@asynccontextmanager
async def tab(profile: Path) -> AsyncIterator[Tab]:
    """An empty page of a browser of its own, whose profile lies in `profile`; the browser ends with the block."""
    program = shutil.which("chromium")
    assert program is not None, "no program chromium"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]
    options += ["--remote-debugging-port=0", f"--user-data-dir={profile}"]
    quiet = asyncio.subprocess.DEVNULL
    browser = await asyncio.create_subprocess_exec(program, *options, "about:blank", stdout=quiet, stderr=quiet)
    try:
        address = await _address(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{address}/json/list") as answer:
                [page] = [row for row in await answer.json() if row["type"] == "page"]
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        if browser.returncode is None:
            browser.kill()
        await browser.wait()


async def _address(file: Path) -> str:
    async with asyncio.timeout(PATIENCE):
        while not (file.exists() and "\n" in file.read_text()):
            await asyncio.sleep(0.05)
    return f"127.0.0.1:{file.read_text().splitlines()[0]}"
