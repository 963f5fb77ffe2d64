"""Every sandbox keeps one bash for lines: what stays between them, and that no line can spoil the ones after it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from datafactory.errors import SandboxError
from datafactory.protocols import Box
from tests.sandboxes.contract import alive

pytestmark = pytest.mark.asyncio(loop_scope="module")

ABUSES = (
    "set -e; false",
    "set -u; echo $nope",
    "set -eu -o pipefail",
    "set -x",
    "set -v",
    "set -f -o noclobber -o posix",
    "shopt -s extdebug; trap false DEBUG",
    "exec true",
    "exec sleep 0.1",
    "exec no-such-program",
    "exec 1>&-",
    "exec 2>&-",
    "exec 0<&-",
    "exec >/tmp/elsewhere 2>&1",
    "exec 3>&- 251>&- 252>&-",
    "exec 251>/dev/null 252>/dev/null 3</dev/null",
    'for fd in /proc/$$/fd/*; do n=${fd##*/}; eval "exec $n>&-"; done',
    "trap 'echo bye' EXIT; trap 'echo debug' DEBUG; trap 'echo wrong' ERR",
    "trap '' TERM INT HUP CHLD",
    "trap 'exit 3' ERR; false",
    "PATH=",
    "unset PATH HOME PWD OLDPWD",
    "alias builtin=false printf=false eval=false exec=false",
    "builtin() { :; }; printf() { :; }; eval() { :; }; trap() { :; }; exit() { :; }",
    "enable -n printf eval",
    "enable -n builtin",
    "IFS=0123456789abcdef",
    "readonly PWD OLDPWD IFS",
    "export LC_ALL=no_SUCH BASH_ENV=/nope ENV=/nope PROMPT_COMMAND='echo prompt' PS4='+++'",
    "BASH_XTRACEFD=251; set -x",
    "umask 777",
    "ulimit -n 8",
    "mkdir /tmp/gone && cd /tmp/gone && rmdir /tmp/gone",
    "cd /; rm -rf /app",
    "return 3",
    "logout",
    "suspend",
    "kill -STOP $$",
    "kill 0",
    "kill -9 0",
    "kill -9 $PPID",
    "kill -9 -1",
    "kill -STOP -1",
    "coproc cat; exec 1>&${COPROC[1]}",
    "exec bash",
    "bash -i",
    "set -n",
    "set +m; sleep 30 & wait",
    "while read -r line; do :; done <&3",
    "cat /dev/zero >&251",
    "stty -a; reset; clear; tput smcup",
    "TMOUT=1; read -t 1 x",
    "exec {x}</proc/self/fd/0; exec 0</dev/zero",
    "hash -r; unalias -a; unset -f alive",
    "set -- $(seq 10000); shift 5000",
)
HANGS = ("set -n", "kill -STOP -1")
"""After these nothing more runs, until a timeout has replaced the shell."""


@pytest.mark.slow
async def test_no_line_spoils_those_after_it(box: Box) -> None:
    wrong: dict[str, str] = {}
    for abuse in ABUSES:
        try:
            await box.exec(abuse, timeout=1)
            assert not (await box.exec(":", timeout=4)).timed_out or abuse in HANGS
            await box.write("/app/there-again", b"")
            await box.exec('\\kill -9 "$$"', timeout=5)
            await alive(box)
        except (AssertionError, SandboxError) as error:
            wrong[abuse] = f"{type(error).__name__} {error}"[:500]
    assert not wrong, "\n".join(f"{abuse!r}: {error}" for abuse, error in wrong.items())


async def test_folder_variables_and_functions_stay(box: Box) -> None:
    assert (await box.exec("pwd")).stdout == b"/app\n"
    await box.exec("mkdir -p 'a b' && cd 'a b'; x='1 2'; export y=3; f() { echo \"f $1\"; }; set -- p q; false")
    assert (await box.exec("echo $?")).stdout == b"1\n"
    result = await box.exec('pwd; echo "$x"; env | grep ^y=; f g; echo "$@"')
    assert result.stdout == b"/app/a b\n1 2\ny=3\nf g\np q\n"


async def test_a_program_starts_fresh_in_the_workdir(box: Box) -> None:
    await box.exec("cd /; export leaked=yes; umask 077; ulimit -n 64; trap '' TERM; exec 9</etc/passwd; set -- a")
    script = 'pwd; echo "[$leaked][$#]"; umask; ulimit -n; ls /proc/self/fd | wc -l; kill -TERM $$; echo survived'
    result = await box.exec(["bash", "-c", script])
    folder, variables, mask, opened, descriptors = result.stdout.decode().splitlines()
    assert (folder, variables, mask, result.exit_code) == ("/app", "[][0]", "0022", 143)
    assert int(opened) > 64 and int(descriptors) == 4, "0, 1, 2 and the folder that ls reads"


async def test_exit_ends_the_line_with_its_code_and_the_folder_stays(box: Box) -> None:
    await box.exec("cd /tmp; x=1")
    for line in ("echo before; exit 7; echo after", "echo before; (exit 7) || exit 7", "echo before; set -e; (exit 7)"):
        result = await box.exec(line)
        assert (result.exit_code, result.stdout) == (7, b"before\n")
        assert (await box.exec("pwd")).stdout == b"/tmp\n"
    await alive(box)


async def test_a_syntax_error_is_a_result_with_its_message(box: Box) -> None:
    for line in ("if then", "echo 'open", 'echo "open', "echo $(open", ")", "}", "for", "a(", "<<", "((", "case x in"):
        result = await box.exec(line, timeout=5)
        assert result.exit_code in (1, 2) and result.stderr and not result.timed_out, line
        await alive(box)


async def test_lines_may_have_lines(box: Box) -> None:
    for line, said in (
        ("cat <<EOF\n\ttab\n  two!\n\\$x `echo y`\nEOF", "\ttab\n  two!\n$x y\n"),
        ("cat <<'E O F'\n$x `no` \\ !!\nE O F", "$x `no` \\ !!\n"),
        ("cat <<-EOF\n\tstripped\n\tEOF\necho after", "stripped\nafter\n"),
        ("cat <<EOF\nno end", "no end\n"),
        ("echo a \\\n  b", "a b\n"),
        ("echo a # comment", "a\n"),
        ("echo a; # comment\n# more", "a\n"),
        ("for x in 1 2\ndo\n  echo $x\ndone", "1\n2\n"),
        ("echo a\r", "a\r\n"),
        ("echo a &&\necho b", "a\nb\n"),
        ("\n\n  echo a  \n\n", "a\n"),
        ("echo hi!there 'it'\"'\"'s' !x", "hi!there it's !x\n"),
        ("echo a\\", "a\\\n"),
        ("f() {\n\techo $1\n}\nf x", "x\n"),
        ("python3 - <<'EOF'\nif 1:\n\tprint('tab')\nEOF", "tab\n"),
    ):
        result = await box.exec(line)
        assert result.stdout.decode() == said, line
    await alive(box)


async def test_jobs_can_be_listed_waited_for_and_killed_in_later_lines(box: Box) -> None:
    await box.exec("sleep 300 & pid=$!; (exit 5) & other=$!")
    assert (await box.exec("wait $other")).exit_code == 5
    assert b"sleep 300" in (await box.exec("jobs")).stdout
    assert (await box.exec("kill $pid; wait $pid")).exit_code == 143


async def test_what_reaches_into_the_other_end_of_the_link_ends_the_box_at_worst(box: Box) -> None:
    with suppress(SandboxError):
        await box.exec("{ for p in /proc/[0-9]*; do echo exit >$p/fd/0; done; } 2>/dev/null", timeout=3)
        await alive(box)
