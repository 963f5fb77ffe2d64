"""The lease: of all keepers on all hosts that share a book, one is at work."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datafactory.errors import DataError, RunError, StorageError, boundary
from datafactory.scheduling.clock import Clock
from datafactory.whole import make_once, whole


class LeaseLost(RunError):
    """Another keeper has taken over: this one was away for longer than its patience."""


@dataclass
class Lease:
    """Terms, numbered: to begin one is to make its file, which works once. The holder of the newest beats; a keeper
    that sees no beat for `patience` seconds of its own clock begins the next. Clocks of hosts need not agree."""

    folder: Path
    clock: Clock
    patience: float = 60.0
    """Seconds without a beat after which a term is over."""
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    term: int = 0
    """Ours; 0: none."""
    _beats: int = 0
    _seen: tuple[int, int, float] = (0, -1, 0.0)
    """The newest term of another, its last beat, and when we first saw that."""

    @property
    def holder(self) -> str:
        """How we are called."""
        return f"{self.host}/{self.pid}"

    def hold(self) -> bool:
        """Beat, or try to begin a term; True: it is ours. Raises LeaseLost where it was, and is no longer."""
        newest = self._newest()
        if self.term:
            if newest > self.term:
                lost, self.term = self.term, 0
                raise LeaseLost(f"term {lost} is over: {self._told(newest).get('holder', 'another keeper')} took over")
            self._beat()
            return True
        if newest and not self._is_over(newest):
            return False
        if not make_once(self._file(newest + 1), json.dumps({"holder": self.holder})):
            return False
        self.term = newest + 1
        self._beat()
        self._tidy()
        return True

    def leave(self) -> None:
        """Give it back, so that the next keeper need not wait."""
        if self.term:
            self._write({"holder": self.holder, "beats": -1})
            self.term = 0

    def who(self) -> str:
        """Who has it; empty: nobody has, or has for longer than we have looked."""
        newest = self._newest()
        told = self._told(newest) if newest else {}
        return "" if not newest or told.get("beats") == -1 else str(told.get("holder", ""))

    def _is_over(self, term: int) -> bool:
        told = self._told(term)
        beats = int(told.get("beats", 0))
        if beats == -1 or self._is_dead(str(told.get("holder", ""))):
            return True
        now = self.clock.monotonic()
        if self._seen[:2] != (term, beats):
            self._seen = (term, beats, now)
        return now - self._seen[2] >= self.patience

    def _is_dead(self, holder: str) -> bool:
        """Whether it was a process of this host that is gone; elsewhere nobody can tell."""
        host, _, pid = holder.rpartition("/")
        if host != self.host or not pid.isdigit() or int(pid) == self.pid:
            return False
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def _newest(self) -> int:
        names = (path.stem.removeprefix("term-") for path in self.folder.glob("term-*.json"))
        return max((int(name) for name in names if name.isdigit()), default=0)

    def _told(self, term: int) -> dict[str, Any]:
        try:
            told = json.loads(self._file(term).read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise DataError(f"{self._file(term)}: no lease's file ({error}); remove it") from error
        return told if isinstance(told, dict) else {}

    def _beat(self) -> None:
        self._beats += 1
        self._write({"holder": self.holder, "beats": self._beats})

    def _write(self, told: dict[str, Any]) -> None:
        with whole(self._file(self.term)) as draft:
            draft.write_text(json.dumps(told))

    def _tidy(self) -> None:
        """Terms long over; the one before ours stays, for who reads it this moment."""
        with boundary(StorageError, f"tidying {self.folder}"):
            for path in self.folder.glob("term-*.json"):
                name = path.stem.removeprefix("term-")
                if name.isdigit() and int(name) < self.term - 1:
                    path.unlink(missing_ok=True)

    def _file(self, term: int) -> Path:
        return self.folder / f"term-{term:08}.json"
