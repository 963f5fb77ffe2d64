"""Issues with the files that they are about become terminal tasks: mend the code, judged by hidden tests."""

from __future__ import annotations

import ast
import posixpath
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datafactory.formats.unified_diff import DiffError, patched
from datafactory.types import Check, Draft, Files, Reject, Source, Step, files
from generators.prompts import render
from generators.terminal_adapters.heredoc import written

ROOT = "/app"
SECONDS = 120.0
_PLAIN = "/tests/plain_tests.py"
_PROGRAM, _REWARD, _REPORT = "/tests/run.sh", "/tmp/datafactory/reward.txt", "/tmp/datafactory/report.xml"


def is_swe(row: Mapping[str, Any]) -> bool:
    """Whether a row has an issue, its files and tests."""
    return isinstance(row.get("problem_statement"), str) and all(
        isinstance(row.get(field), Mapping) for field in ("files", "tests")
    )


def swe_draft(row: Mapping[str, Any], source: Source) -> Draft | Reject:
    """A task from an issue and the buggy files, not the whole repository (arXiv 2602.21193, section 3.1).

    Fields: ``problem_statement``; ``files`` and ``tests``, path in the repository to content (tests replace files
    of the same path, when judged); the mended side as ``fixed_files``, or as ``patch``, a unified diff that mends
    ``files`` (SWE-bench) or, where ``repo`` starts with ``swesmith/``, the one that broke them (SWE-smith);
    ``test_command`` (default: all of ``tests``, by pytest where they need it). Rejects what does not fit together.
    """
    try:
        buggy, tests = (_texts(row[field], field) for field in ("files", "tests"))
        fixed = _fixed(row, buggy)
    except DiffError as error:
        return Reject(reason="patch_does_not_fit", detail=str(error))
    except ValueError as error:
        return Reject(reason="bad_path", detail=str(error))
    changed = {path: text for path, text in fixed.items() if buggy.get(path) != text}
    removed = sorted(set(buggy) - set(fixed))
    if not changed and not removed:
        return Reject(reason="nothing_to_mend", detail="the mended files are the buggy ones")
    command = str(row.get("test_command") or _runner(buggy, tests))
    return Draft(
        prompt=render(
            "adapter_swe",
            problem_statement=str(row["problem_statement"]).strip(),
            root=ROOT,
            paths=[f"{ROOT}/{path}" for path in sorted(buggy)],
            command=str(row.get("test_command") or ""),
        ),
        files=_placed(buggy),
        checks=(_check(command, tests),),
        solution=_solution(changed, removed),
        skills=("bug fix",),
        domain="debugging",
        source=source.but(facts={**source.facts, "kind": "swe", "changed": sorted([*changed, *removed])}),
    )


def _needs_pytest(tests: Mapping[str, str]) -> bool:
    """Whether `tests` are more than plain functions and unittest cases."""
    for path, text in tests.items():
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            return True
        named = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        if posixpath.basename(path) == "conftest.py" or "pytest" in text or any(map(_is_pytests, named)):
            return True
    return False


def _is_pytests(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    if isinstance(node, ast.ClassDef):
        return node.name.startswith("Test") and not node.bases
    if node.name.startswith(("setup", "teardown")):
        return True
    arguments = node.args
    given = arguments.args or arguments.kwonlyargs or arguments.posonlyargs
    return node.name.startswith("test") and (isinstance(node, ast.AsyncFunctionDef) or bool(given))


def _runner(buggy: Mapping[str, str], tests: Mapping[str, str]) -> str:
    """Runs `tests`; what would steer pytest counts only where the row has it, not where an attempt brought it."""
    if not _needs_pytest(tests):
        run = shlex.join(["python3", "-I", "-B", _PLAIN, ROOT, _REPORT, *sorted(tests)])
    else:
        names = {posixpath.basename(path) for path in [*buggy, *tests]}
        # -P: a pytest.py in the workdir must not be taken for pytest (Python 3.11)
        argv = ["python3", "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", f"pythonpath={ROOT}"]
        if "conftest.py" not in names:
            argv.append("--noconftest")
        if not names & {"pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"}:
            argv += ["-c", "/dev/null", "--rootdir", ROOT]
        run = shlex.join([*argv, f"--junitxml={_REPORT}", *sorted(tests)])
    # the report is written at the very end: code that leaves with status 0 halfway passes nothing
    return f'rm -f {_REPORT}; {run} && grep -q \'errors="0" failures="0"\' {_REPORT}'


def _check(command: str, tests: Mapping[str, str]) -> Check:
    # A number in a file, not an exit status: a test that ends in an exception is what a bug looks like, no crash.
    script = (
        "#!/bin/bash\n# The tests' own output goes to the log; only the verdict goes to the file.\n"
        f"cd {ROOT} || exit 2\nexport PYTHONDONTWRITEBYTECODE=1\n"
        f"if ( {command}\n); then score=1; else score=0; fi\necho $score > {_REWARD}\n"
    )
    plain = Path(__file__).with_name("plain_tests.py").read_text()
    placed = {**files({_PROGRAM: script, _PLAIN: plain}), **_placed(tests)}
    return Check(name="tests", argv=("bash", _PROGRAM), files=placed, timeout=SECONDS, reward_file=_REWARD)


def _fixed(row: Mapping[str, Any], buggy: Mapping[str, str]) -> dict[str, str]:
    if row.get("fixed_files"):
        return {**buggy, **_texts(row["fixed_files"], "fixed_files")}
    breaks = str(row.get("repo") or "").startswith("swesmith/")
    return patched(buggy, str(row.get("patch") or ""), reverse=breaks)


def _texts(value: Any, field: str) -> dict[str, str]:
    """Path to content, with paths that stay inside the repository."""
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"{field} must map at least one path to its content")
    for path, text in value.items():
        if not isinstance(text, str) or "\0" in text:
            raise ValueError(f"{field}: {path!r} holds no text")
        if path.startswith("/") or posixpath.normpath(path) != path or path.split("/")[0] in ("..", "."):
            raise ValueError(f"{field}: {path!r} is no plain path inside the repository")
    return dict(value)


def _placed(texts: Mapping[str, str]) -> Files:
    return files({f"{ROOT}/{path}": text for path, text in texts.items()})


def _solution(changed: Mapping[str, str], removed: list[str]) -> tuple[Step, ...]:
    steps = []
    for path, text in sorted(changed.items()):
        folder = posixpath.dirname(path)
        above = f"mkdir -p {shlex.quote(f'{ROOT}/{folder}')}\n" if folder else ""
        steps.append(Step(thought=f"Mend {path}.", command=above + written(f"{ROOT}/{path}", text)))
    if removed:
        gone = " ".join(shlex.quote(f"{ROOT}/{path}") for path in removed)
        steps.append(Step(thought="Remove what the mended code does not have.", command=f"rm {gone}"))
    return tuple(steps)
