"""The policy alone: what is refused whatever a box holds, what passes, and that quoting changes neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.registry import Problem, build
from sandboxes.no_execution import NoExecutionSandbox, refusal
from tests.sandboxes.no_execution_attempts import BY_PROGRAMS, BY_SHELL
from tests.sandboxes.no_execution_honest import HONEST

ATTEMPTS = (*BY_PROGRAMS, *BY_SHELL)
COMMANDS = ("python3 evil.py", "./evil.sh", ". ./evil.sh", "sh evil.sh", "eval ls", "awk 1 a.txt", "make", "exec ls")
WRAPS = (
    "{}; ls",
    "ls; {}",
    "ls && {}",
    "ls || {}",
    "ls | {}",
    "{} | cat",
    "({})",
    "{{ {}; }}",
    "! {}",
    "echo $({})",
    'echo "$({})"',
    "cat <({})",
    "if {}; then ls; fi",
    "if true; then {}; fi",
    "if false; then :; else {}; fi",
    "for i in 1 2; do {}; done",
    "while true; do {}; break; done",
    "case x in *) {} ;; esac",
    "x=$({}) ls",
    "ls > $({})",
    "cat <<EOF\n$({})\nEOF",
    "cat <<'EOF'\ntext\nEOF\n{}",
    "echo ${{x:-$({})}}",
    '[ -n "$({})" ]',
    "[[ -n $({}) ]]",
    "# comment\n{}",
    "time {}",
    "command {}",
    "timeout 5 {}",
    "find . -exec {} \\;",
    "ls | xargs {}",
    "a=1 {}",
    "{} > /dev/null 2>&1",
)


@pytest.mark.parametrize("line", ATTEMPTS)
def test_an_attempt_to_execute_is_refused_with_a_reason(line: str) -> None:
    reason = refusal(line)
    assert reason
    assert len(reason) < 300
    assert "\n" not in reason


@pytest.mark.parametrize("line", HONEST)
def test_a_line_that_reads_or_edits_passes(line: str) -> None:
    assert refusal(line) is None


def test_there_are_enough_lines_and_none_twice() -> None:
    assert len(set(ATTEMPTS)) == len(ATTEMPTS) >= 80
    assert len(set(HONEST)) == len(HONEST) >= 60


@pytest.mark.parametrize(
    "line",
    [
        "du -sh src | cut -f1 | wc -l\npython3 <<'EOF'\nx\nEOF",
        "du -sh src | cut -f1 | wc -l\npython3 evil.py",
        "tr\\\nap '. ./evil.sh' DEBUG",
        "echo a\\\n#b; python3 evil.py",
        "command -<<'EOF'\nx\nEOF",
        '[[a= -f x && "python3 evil.py"! ]]',
        'echo "$\\\n(python3 evil.py)"',
        "cat <<EOF\n$\\\n(python3 evil.py)\nEOF",
        "echo $[a[$(id)]]",
        "printf $(ls none) -v 'a[$(id)]' x",
        "git -C $(ls none) status difftool",
        "sed -l $(ls none) 5p '1e id' f",
        "IFS=a; sed -n $(find . -name x)",
        "find . | xargs -da sed",
        "find . -printf '-es:a:b:e' | xargs sed",
        "grep -l --label=-es:a:b:e x - | xargs sed -n p",
        "grep -e -l f | xargs sed -n p",
        "xargs sed -n <<EOF\n1p\nEOF",
        "ls {PATH}>x",
        "touch -- -es:a:b:e",
        "mkdir 'a -b'",
        "x=-e; touch -- $x",
        'echo a > "$x"',
        "x=src; false && x=-f; sed $x evil.sed f",
        "(x=p); sed $x f",
        "for f in *; do x=$f; done; sed $x f",
        "shopt -s nullglob",
        "LC_ALL=/app/x ls",
        "git log --ext",
        "sort --comp=./evil.sh f",
        "echo ${x:$(id):1}",
        "[[ x == *`id`* ]]",
        "case x in x) ls;;& *) ls;; esac",
    ],
)
def test_what_would_shift_the_meaning_of_a_line_is_refused(line: str) -> None:
    assert refusal(line)


@given(st.sampled_from(COMMANDS), st.lists(st.sampled_from(WRAPS), max_size=4))
def test_a_refused_command_stays_refused_however_it_is_wrapped(command: str, wraps: list[str]) -> None:
    line = command
    for wrap in wraps:
        line = wrap.format(line)
    assert refusal(line)


@given(st.sampled_from(("python3", "sh", "eval", "awk", "perl", "make", "exec", "source")), st.data())
def test_a_refused_name_stays_refused_however_it_is_quoted(name: str, data: st.DataObject) -> None:
    quotes = st.sampled_from(("{}", "\\{}", "'{}'", '"{}"', "{}''", '""{}', "$'{}'", "{}$(:)", "${{x}}{}", "{}\\\n"))
    line = "".join(data.draw(quotes).format(letter) for letter in name)
    assert refusal(f"{line} evil.py")


@given(st.text(max_size=80))
def test_no_text_makes_the_policy_raise(text: str) -> None:
    assert refusal(text) is None or refusal(text)


@given(
    st.lists(
        st.sampled_from(
            (
                "$(",
                ")",
                "`",
                '"',
                "'",
                "<<EOF",
                "\n",
                "EOF",
                "python3",
                " ",
                "cat",
                ";",
                "\\",
                "${",
                "}",
                "x",
                "#",
                "[[",
                "]]",
                "((",
                "|",
                "&",
                "{",
                "=",
                "<(",
                "$'",
            )
        ),
        max_size=14,
    )
)
def test_no_jumble_of_syntax_lets_an_interpreter_through(pieces: list[str]) -> None:
    line = "".join(pieces)
    if refusal(line) is None:
        assert "python3" not in commands_of_bash(line)


def commands_of_bash(line: str) -> str:
    """What bash itself would run of a line, with every program but `cat` unknown: it names those that it misses."""
    import subprocess

    script = f"PATH=/nonexistent\ncat() {{ :; }}\nx() {{ :; }}\n{line}\n"
    done = subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-c", script],
        capture_output=True,
        timeout=20,
        cwd="/",
        stdin=-3,
        check=False,
    )
    return "".join(
        each for each in done.stderr.decode(errors="replace").splitlines(True) if "python3: command not found" in each
    )


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        (["ls", "-la"], True),
        (["grep", "-rn", "x; python3 evil.py", "."], True),
        (["cat", "$(python3 evil.py)"], True),
        (["python3", "evil.py"], False),
        (["bash", "-c", "ls"], False),
        (["find", ".", "-exec", "sh", "{}", ";"], False),
        (["./evil.sh"], False),
    ],
)
def test_a_program_with_its_arguments_is_judged_without_a_shell(words: list[str], passes: bool) -> None:
    assert (refusal(words) is None) == passes


@pytest.mark.parametrize(
    "line",
    ["", "   ", "\n\n", "# only a comment", ":"],
)
def test_a_line_that_says_nothing_passes(line: str) -> None:
    assert refusal(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "ls\x00",
        "ls \x1b[0m",
        "ls\r\npython3 evil.py",
        "ls \udc80",
        "(" * 500 + "ls" + ")" * 500,
        "echo " + "x" * 300_000,
    ],
)
def test_what_no_person_types_is_refused(line: str) -> None:
    assert refusal(line)


@pytest.mark.parametrize(
    ("script", "passes"),
    [
        ("s/a/b/g", True),
        ("s|a|b|;s,c,d,", True),
        ("s/[[:space:]/]*$//", False),
        ("s/[/]/x/", False),
        ("s/[^\\/]*/x/", True),
        ("s/a\\/b/c/2gI", True),
        ("y/abc/def/;p", True),
        ("/a/,/b/{s/x/y/;d}", True),
        ("1,5!d", True),
        ("$!N;P;D", True),
        (":a;s/x/y/;ta", True),
        ("a\\\nnew line; e touch x", True),
        ("a one\\\ntwo\ne touch x", False),
        ("s/a/b/e", False),
        ("s/a/b/ge", False),
        ("s/a/b/w out", False),
        ("s/a/b/\ne touch x", False),
        ("e", False),
        ("1e touch x", False),
        ("/x/e touch x", False),
        ("\\,x,e touch x", False),
        ("{e touch x\n}", False),
        ("p;e touch x", False),
        ("w out", False),
        ("W out", False),
        ("b;e touch x", False),
        ("#n\ne touch x", False),
        ("}e touch x", False),
    ],
)
def test_a_script_of_sed_is_read_as_sed_reads_it(script: str, passes: bool) -> None:
    assert (refusal(["sed", script, "a.txt"]) is None) == passes


def test_the_sandbox_is_written_in_a_pipeline_file_with_another_inside() -> None:
    problems: list[Problem] = []
    made = build("sandbox", {"use": "no_execution", "inside": {"use": "namespace", "memory": "1g"}}, (), problems)
    assert problems == []
    assert isinstance(made, NoExecutionSandbox)
    assert made.describe()["inside"]["memory"] == "1g"
    assert build("sandbox", {"use": "no_execution"}, (), problems) is None
    assert "inside" in str(problems[0])
