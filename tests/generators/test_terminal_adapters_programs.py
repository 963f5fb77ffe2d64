"""The programs that judge adapted tasks, run as a box runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from generators import terminal_adapters
from generators.terminal_adapters.heredoc import written

PROGRAMS = Path(terminal_adapters.__file__).parent
STUB = 'def helper(x):\n    return x + 1\n\n\ndef double(x: int) -> int:\n    """Twice x."""\n'
FORGED = """import os
for descriptor in range(3, 20):
    try:
        os.write(descriptor, b'["", 0, "passed"]')
    except OSError:
        pass
os._exit(0)
"""
TEST = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(helper(2)) == 6\n"


def number(folder: Path, content: bytes | None, right: str = "1250") -> subprocess.CompletedProcess[str]:
    file = folder / "answer.txt"
    if content is not None:
        file.write_bytes(content)
    return run("number_check.py", str(file), right)


def function(
    folder: Path, module: str | None, *, test: str = TEST, seconds: str = "20"
) -> subprocess.CompletedProcess[str]:
    for name, text in {"solution.py": module, "stub.py": STUB, "test.py": test}.items():
        if text is not None:
            (folder / name).write_text(text)
    names = [str(folder / "solution.py"), "double", str(folder / "stub.py"), str(folder / "test.py")]
    return run("function_check.py", *names, seconds)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PROGRAMS / program, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "content", [b"1250", b"1,250\n", b"$1,250", "€1250".encode(), b" +1250.0 ", b"1250%", b"1250.0005"]
)
def test_the_right_number_passes_however_it_is_written(tmp_path: Path, content: bytes) -> None:
    assert number(tmp_path, content).returncode == 0


@pytest.mark.parametrize(
    "content",
    [None, b"", b"1251", b"-1250", b"12,50", b"1250 eggs", b"the answer is 1250", b"1250\n1251", b"nan", b"1e3",
     b"2500/2", b"\xff\xfe", b"1250" + b"0" * 5000],
)  # fmt: skip
def test_anything_else_fails_and_never_crashes_the_check(tmp_path: Path, content: bytes | None) -> None:
    done = number(tmp_path, content)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_folder_or_a_loop_of_links_in_place_of_the_answer_fails(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    for name in ("folder", "loop"):
        done = run("number_check.py", str(tmp_path / name), "1")
        assert (done.returncode, done.stderr) == (1, "")


def test_a_right_function_passes_without_repeating_the_stubs_helpers(tmp_path: Path) -> None:
    assert function(tmp_path, "def double(x):\n    return 2 * x\n").returncode == 0


@pytest.mark.parametrize(
    "module",
    [
        None,
        "",
        "def double(x) return",
        "import not_a_module",
        "raise SystemExit(0)",
        "import os\nos._exit(0)",
        "def double(x):\n    import os\n    os._exit(0)",
        "def double(x):\n    raise SystemExit(0)",
        "def double(x):\n    return x",
        "def double(x):\n    return 1 / 0",
        "double = 4",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "def double(x):\n    return double(x)",
        FORGED,
        "print('x' * 10_000_000)\ndef double(x): return 0",
    ],
)
def test_a_wrong_module_fails_and_never_crashes_the_check(tmp_path: Path, module: str | None) -> None:
    done = function(tmp_path, module)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout


def test_a_function_that_hangs_fails_and_leaves_no_process_behind(tmp_path: Path) -> None:
    left = tmp_path / "pid"
    module = f"import os, pathlib, time\npathlib.Path({str(left)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    done = function(tmp_path, module, seconds="1")
    assert done.returncode == 1 and "not done after 1 seconds" in done.stdout
    with pytest.raises(ProcessLookupError):
        os.kill(int(left.read_text()), 0)


@pytest.mark.parametrize("test", ["def check(candidate", "x = 1", "import no_such_module", "raise SystemExit(0)"])
def test_a_broken_test_is_a_crash_of_the_check_not_a_failure(tmp_path: Path, test: str) -> None:
    done = function(tmp_path, "def double(x):\n    return 2 * x\n", test=test)
    assert done.returncode == 3 and "the test is broken" in done.stdout


@pytest.mark.parametrize(
    "text", ["", "a", "a\n", "\n\n", "EOF\nEOF_1\n", "$HOME `id` \\ 'q'\n\ttab", "a\x0cb\rc\u2028d\n"]
)
def test_a_heredoc_leaves_exactly_the_text(tmp_path: Path, text: str) -> None:
    target = tmp_path / "a file"
    subprocess.run(["bash", "-c", written(str(target), text)], check=True)
    assert target.read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("test", "passes"),
    [
        ("import mod\ndef test_a():\n    assert mod.x == 1", True),
        ("import unittest, mod\nclass A(unittest.TestCase):\n    def test_a(self):\n        assert mod.x == 1", True),
        ("import mod\ndef test_a():\n    assert mod.x == 2", False),
        ("import mod\ndef test_a():\n    {}[mod.x]", False),
        ("import absent\ndef test_a():\n    pass", False),
        ("import os\ndef test_a():\n    os._exit(0)", False),
        ("def test_a():\n    raise SystemExit(0)", False),
        ("x = 1", False),
    ],
)
def test_plain_tests_leave_a_report_only_where_all_of_some_passed(tmp_path: Path, test: str, passes: bool) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "mod.py").write_text("x = 1")
    (tmp_path / "tests" / "test_mod.py").write_text(test)
    run("plain_tests.py", str(tmp_path), str(tmp_path / "report"), "tests/test_mod.py")
    assert (tmp_path / "report").exists() is passes
