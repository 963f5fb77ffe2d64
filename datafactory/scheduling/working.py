"""Does a slot's work with the commands that a person would type: run, show, diff, publish."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from datafactory.errors import RunError
from datafactory.pipeline import document
from datafactory.scheduling.bars import measured
from datafactory.scheduling.book import Book
from datafactory.scheduling.clock import Clock
from datafactory.scheduling.job import Job
from datafactory.scheduling.slots import Slot
from datafactory.scheduling.telling import tell, wants_news
from datafactory.storage import is_running
from datafactory.whole import whole

_MISTAKE, _CAPPED = 2, 6
"""Exit codes of `datafactory run` after which trying again changes nothing."""
_PAUSE, _LONGEST = 30.0, 1800.0
"""Seconds before the second try, twice as many before each later one, and at most."""
_TOLD = 600
"""Characters of a failed command's last words."""
_PATIENCE = 120.0
"""Seconds that a command has to close what it opened, when the keeper stops."""


@dataclass(frozen=True)
class Commands:
    """Each slot is a run of its own, in a process of its own; what the commands say is in `<job>/<slot>.log`."""

    book: Book
    runs: Path
    """Folder of the runs."""
    clock: Clock

    async def work(self, job: Job, slot: Slot) -> Slot:
        """Run the slot's pipeline, hold it against the bars, publish it or hold it, and tell."""
        ended = await self._made(job, slot)
        if wants_news(job, ended):
            failed = await tell(job, ended, self.clock.sleep)
            ended = ended.model_copy(update={"told": not failed})
            if failed:
                self._log(slot, failed)
        return ended

    async def _made(self, job: Job, slot: Slot) -> Slot:
        slot, failed = await self._run(job, slot)
        if failed:
            return slot.model_copy(update={"state": "failed", "reasons": (failed,)})
        capped = slot.facts.get("capped")
        facts: dict[str, Any] = measured(await self._json(slot, "show", slot.run, "--runs", str(self.runs)))
        reasons = [f"the budget is spent: {capped}"] if capped else job.file.bars.missed(facts)
        if job.file.compare and not capped:
            facts["compared"] = await self._json(slot, "diff", job.file.compare, str(self.runs / slot.run))
        slot = slot.model_copy(update={"facts": facts})
        if not reasons and job.file.review and job.file.publish:
            reasons = [f"a person looks first; then: datafactory schedule release {job.name} {slot.stamp}"]
        if reasons:
            return slot.model_copy(update={"state": "held", "reasons": tuple(reasons)})
        return await self.publish(job, slot) if job.file.publish else slot.model_copy(update={"state": "done"})

    async def publish(self, job: Job, slot: Slot) -> Slot:
        """Publish the slot's run; a publication that failed leaves it held."""
        assert job.file.publish is not None
        command = ("publish", slot.run, "--to", job.file.publish, "--runs", str(self.runs))
        code, said = await self._call(slot, *command)
        if code:
            way = f"again with: datafactory schedule release {job.name} {slot.stamp}"
            return slot.model_copy(update={"state": "held", "reasons": (f"not published: {said}; {way}",)})
        return slot.model_copy(update={"state": "published", "reasons": ()})

    async def _run(self, job: Job, slot: Slot) -> tuple[Slot, str]:
        """The slot with what it came to, and what went wrong for good."""
        pipeline = self._pipeline(job, slot)
        while True:
            while is_running(self.runs / slot.run):  # a keeper was killed, and its run was not
                await self.clock.sleep(_PAUSE)
            code, said = await self._call(slot, "run", str(pipeline), "--runs", str(self.runs))
            if code == 0:
                return slot, ""
            if code == _CAPPED:
                return slot.model_copy(update={"facts": {**slot.facts, "capped": said}}), ""
            slot = slot.model_copy(update={"tries": slot.tries + 1})
            self.book.write(slot)
            if code == _MISTAKE or slot.tries >= job.file.tries:
                return slot, f"the run ended with code {code}, {slot.tries} times: {said}"
            await self.clock.sleep(min(_LONGEST, _PAUSE * 2 ** (slot.tries - 1)))

    def _pipeline(self, job: Job, slot: Slot) -> Path:
        """The slot's own pipeline file: the job's, with another name, seed and budget."""
        value = dict(document.read(job.pipeline).value)
        value["name"] = slot.run
        if job.file.seed == "slot":
            value["seed"] = int(slot.at.strftime("%Y%m%d%H%M"))
        if job.file.budget is not None:
            value["budget"] = job.file.budget.model_dump(exclude_none=True)
        path = self.book.place(job.name, f"{slot.stamp}.yaml")
        with whole(path) as draft:
            draft.write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return path

    async def _json(self, slot: Slot, *words: str) -> Any:
        """What a command prints as JSON. Raises RunError where it fails."""
        code, said = await self._call(slot, *words, "--json", whole_output=True)
        if code:
            raise RunError(f"datafactory {words[0]} ended with code {code}: {said[-_TOLD:]}")
        return json.loads(said)

    async def _call(self, slot: Slot, *words: str, whole_output: bool = False) -> tuple[int, str]:
        """A command's exit code, and its output or its last words. When cancelled, it is let close what it opened."""
        log = self.book.place(slot.job, f"{slot.stamp}.log")
        with log.open("ab") as file:
            file.write(f"$ datafactory {' '.join(words)}\n".encode())
            file.flush()
            began = file.tell()
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "datafactory",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if whole_output else file,
                stderr=file,
                start_new_session=True,
            )
            try:
                output, _ = await process.communicate()
            except asyncio.CancelledError:
                await _close(process)
                raise
        if whole_output and process.returncode == 0:
            return 0, output.decode()
        with log.open("rb") as file:
            file.seek(began)
            lines = file.read().decode(errors="replace").strip().splitlines()
        said = [line for line in lines if line.startswith(("error:", "stopped"))] or lines[-1:]
        return process.returncode or 0, " ".join(said)[-_TOLD:]

    def _log(self, slot: Slot, line: str) -> None:
        with self.book.place(slot.job, f"{slot.stamp}.log").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


async def _close(process: asyncio.subprocess.Process) -> None:
    """Stop a command as Ctrl-C does, and with force where it takes too long."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
