"""The sandbox that is none: it must be asked for in so many words, and it tidies up."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafactory.errors import ConfigError, SandboxError
from datafactory.types import files
from sandboxes.unsafe import UnsafeSandbox


async def test_it_refuses_unless_told() -> None:
    with pytest.raises(ConfigError, match="i_know"):
        async with UnsafeSandbox().start():
            pass


@pytest.mark.filterwarnings("ignore:sandbox unsafe")
async def test_it_works_in_the_real_folder_and_removes_what_it_placed(tmp_path: Path) -> None:
    work = tmp_path / "deep" / "app"
    async with UnsafeSandbox(i_know=True).start() as host:
        async with host.open("base", files({f"{work}/x": "x"}), workdir=str(work)) as box:
            assert (await box.exec("cat x; pwd; echo y >y; sleep 1000 &")).stdout == f"x{work}\n".encode()
            assert await box.read(f"{work}/y") == b"y\n"
            hidden = await box.exec("(setsid sleep 998.5 >/dev/null 2>&1 &); sleep 60", timeout=0.5)
            assert hidden.timed_out and (await box.exec("pgrep -f 'sleep 998[.]5'")).exit_code == 1
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "mine").write_text("mine")
        with pytest.raises(SandboxError, match="mine"):
            async with host.open("base", files({f"{tmp_path}/mine": "x"})):
                pass
        assert (tmp_path / "mine").read_text() == "mine"
