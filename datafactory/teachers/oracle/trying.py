"""How a developer runs things: the issue's scripts and the repository's tests, before the change and after it."""

from __future__ import annotations

import re
from shlex import quote

from datafactory.teachers.oracle.desk import Desk, Story
from datafactory.teachers.oracle.issue import scripts
from datafactory.teachers.oracle.outcomes import printed, ran, tested
from datafactory.teachers.oracle.plan import SLOW, Act
from datafactory.teachers.oracle.words import listed

_PATH = re.compile(r"^(?:\./)?(\S+\.py)$", re.M)
_SUITE = 2000
"""Tests from which a whole suite is not run just to look around."""
_NAMED = 4
"""Failing tests that are run by name."""
_WAIT = 300.0
"""Seconds for a run of tests."""


class Trials:
    """What was tried before the change, to be tried again after it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._script: Act | None = None
        self._raised = ""
        self._files: list[str] = []
        self._name = ""
        self._failing: tuple[str, ...] = ()
        self._suite = False

    def reproduce(self) -> Story[None]:
        """Run a script of the issue's, outside of the repository."""
        desk = self._desk
        found = scripts(desk.issue)
        if not found:
            return
        code = found[0] if desk.rng.random() < 0.7 else desk.rng.choice(found)
        if desk.native and desk.rng.random() < 0.5:
            shown = {"command": "create", "path": "/tmp/reproduce.py", "file_text": f"{code}\n"}
            yield from desk.turn("write_script", Act("", editor=shown))
            desk.note("written")
            self._script = Act("python /tmp/reproduce.py", 2.0)
        else:
            mark = "EOF" if "EOF" not in code else "SCRIPT_ENDS"
            self._script = Act(f"python - <<'{mark}'\n{code}\n{mark}", 2.0)
        seen = yield from desk.turn("run_script", self._script)
        result = ran(seen)
        self._raised = result.raised
        self._say_result(result.raised, result.value, hung=result.hung)

    def _say_result(self, raised: str, value: str, *, hung: bool) -> None:
        desk = self._desk
        if hung:
            desk.note("script_hangs")
        elif raised:
            kind = raised.partition(":")[0].rpartition(".")[2]
            same = raised[:60] in desk.issue or (kind in desk.issue and raised.partition(":")[2][:30] in desk.issue)
            desk.note("script_raised_same" if same else "script_raised", error=raised[:160])
        elif value:
            desk.note(
                "script_printed_same" if value in desk.issue and len(value) > 1 else "script_printed", value=value[:160]
            )
        else:
            desk.note("script_silent")

    def tests(self) -> Story[None]:
        """Find the tests that mention what the issue is about, and run them."""
        desk = self._desk
        yield from self.find_tests()
        if self._files:
            seen = yield from self._run(self._files, "run_tests")
        elif len(desk.facts.pass_to_pass) < _SUITE:
            self._suite = True
            seen = yield from self._run([], "run_suite")
        else:
            return
        result = tested(seen)
        if not result.known:
            desk.note("tests_unknown")
        elif result.failed:
            self._failing = result.failing
            shown = listed([f"`{test.rpartition('::')[2]}`" for test in result.failing]) if result.failing else "some"
            desk.note("tests_failed", count=_tests(result.failed), names=shown)
        else:
            desk.note("tests_passed_before", count=_tests(result.passed))

    def find_tests(self) -> Story[None]:
        """Search the test files for a name of the issue's."""
        desk = self._desk
        for name in desk.names[:2]:
            line = f'grep -rlw "{name}" --include="test*.py" --include="*test.py" .'
            seen = yield from desk.turn("find_tests", Act(line, 0.5), name=name)
            found = list(dict.fromkeys(_PATH.findall(seen)))
            if found:
                self._name = name
                judging = {test.partition("::")[0] for test in desk.facts.fail_to_pass}
                self._files = [path for path in found if path in judging][:2] or found[:1]
                desk.note(
                    "tests_found",
                    name=name,
                    count=_files(len(found)),
                    files=listed([f"`{path}`" for path in self._files]),
                )
                return
            desk.note("no_tests_found", name=name)

    def read_tests(self) -> Story[None]:
        """Find the tests that mention what the issue is about, and see what they say of it."""
        desk = self._desk
        yield from self.find_tests()
        if name := self._name:
            line = f'grep -nw -B2 -A5 "{name}" {quote(self._files[0])} | head -n 60'
            seen = yield from desk.turn("read_tests", Act(line, 0.5), name=name, path=self._files[0])
            if name in printed(seen):
                desk.note("tests_read", name=name)

    def _run(self, what: list[str], plan: str) -> Story[str]:
        names = " ".join(quote(each) for each in what)
        files = listed([f"`{each}`" for each in what])
        style = "-q --tb=short" if len(what) else "-q --tb=no"
        line = f"python -m pytest {style} {names}".rstrip() + " 2>&1 | tail -n 30"
        act = Act(line, SLOW, limit=_WAIT)
        return (yield from self._desk.turn(plan, act, kind="check", files=files))

    def again(self) -> Story[str]:
        """After the change: the script, the tests that failed, their files. Gives what may be said of them."""
        desk, said = self._desk, []
        if self._script is not None:
            seen = yield from desk.turn("script_again", self._script, kind="check")
            result = ran(seen)
            self._say_after(result.raised, result.value, hung=result.hung)
            if not result.raised and not result.hung:
                said.append(desk.phrase("report_script"))
        named = [test for test in self._failing if "::" in test and not re.search(r"[\s\[]", test)][:_NAMED]
        if named and (self._suite or desk.rng.random() < 0.5):
            seen = yield from self._run(named, "named_again")
            self._say_tests(seen)
        if not self._files and not self._suite:
            yield from self.find_tests()
        if self._files or self._suite or not said:
            files = [] if self._suite else self._files
            if files or len(desk.facts.pass_to_pass) < _SUITE:
                seen = yield from self._run(files, "files_again" if files else "suite_again")
                if self._say_tests(seen):
                    said.append(
                        desk.phrase(
                            "report_tests",
                            files=listed([f"`{each}`" for each in files]) if files else "the whole suite",
                        )
                    )
        return " ".join(said)

    def _say_after(self, raised: str, value: str, *, hung: bool) -> None:
        desk = self._desk
        if hung or raised:
            phrase = "after_hangs" if hung else "after_same" if raised == self._raised else "after_raised"
            desk.note(phrase, error=raised[:160])
        elif value:
            desk.note(
                "after_expected" if value in desk.issue and len(value) > 1 else "after_printed", value=value[:160]
            )
        else:
            desk.note("after_silent")

    def _say_tests(self, seen: str) -> bool:
        """Whether all passed."""
        result = tested(seen)
        if not result.known:
            self._desk.note("tests_unknown")
        elif result.failed:
            self._desk.note("tests_still_fail", count=_tests(result.failed))
        else:
            self._desk.note("tests_pass", count=_tests(result.passed))
        return result.known and not result.failed


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count} tests"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
