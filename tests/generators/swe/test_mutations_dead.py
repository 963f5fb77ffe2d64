"""Where a change would show in no behaviour, no sites are looked for."""

from __future__ import annotations

import pytest

from generators.swe.mutations import find_sites, read

DEAD = {
    "docstrings": 'def f():\n    """0 < 1 and not 2."""\n',
    "asserts": "def f(x):\n    assert x > 0 and not x, 'so %d' % (x + 1)\n",
    "type checking": "if TYPE_CHECKING:\n    X = 1 + 2\n",
    "the program's entry": "if __name__ == '__main__':\n    main(1, 2)\n",
    "logging": "def f(x):\n    logger.info('%s', x + 1)\n    self._log.debug(x, y)\n",
    "warnings and print": "def f(x):\n    warnings.warn('a', stacklevel=2)\n    print(x, y, sep=',')\n",
    "debuggers' methods": "class A:\n    def __repr__(self):\n        return 'A(%d)' % (self.x + 1)\n",
    "overloads": "@typing.overload\ndef f(x: int = 1) -> int: ...\n",
    "abstract methods": "class A:\n    @abc.abstractmethod\n    def f(self, x=1):\n        return x + 1\n",
    "protocols": "class A(Protocol):\n    def f(self, x=1):\n        return x + 1\n",
    "names in double underscores": "__all__ = ['a', 'b'][:1]\n__version__ = '1' if a else '2'\n",
    "what follows a return": "def f():\n    return\n    x = 1 + 2\n",
    "what follows a raise": "def f():\n    raise\n    g(1, 2)\n",
    "conditions on constants": "if 0:\n    f(1, 2)\nwhile False:\n    f(1, 2)\n",
    "versions and platforms": "if sys.version_info >= (3, 8):\n    x = 1\nelse:\n    x = 2\nP = sys.platform == 'x'\n",
    "imports that may fail": "try:\n    import a\nexcept ImportError:\n    a = 1\n",
    "annotations": "def f(x: 'A[1]' = None) -> Tuple[1, 2]: ...\ny: List[0]\n",
    "type variables": "T = TypeVar('T', bound=A[0])\nF = Callable[[int], A] | None\n",
    "what is raised with an exception": "def f(x):\n    raise Custom('%d' % (x + 1), x < 1)\n",
    "long tables": f"X = [{'1, ' * 101}]\n",
    "code without cover": "def f(x):  # pragma: no cover\n    return x + 1\n",
}


@pytest.mark.parametrize("code", DEAD.values(), ids=list(DEAD))
def test_dead_code_is_left_alone(code: str) -> None:
    assert find_sites(read("a.py", code.encode())) == []


def test_a_log_call_on_the_line_of_its_condition_is_left_alone_too() -> None:
    found = find_sites(read("a.py", b"def f(x, y):\n    if x: print(y, x + 1)\n"))
    assert {site.operator for site in found} == {"condition_inverted", "branch_dropped", "variable_misused"}
    assert all("print" not in site.change for site in found if site.operator == "variable_misused")


@pytest.mark.parametrize(
    ("code", "operator"),
    [
        ("def f():\n    '''Doc.'''\n    return a < b\n", "comparison_flip"),
        ("class A:\n    def __str__(self):\n        return self.x + 1\n", "arithmetic_operator"),
        ("if a:\n    return_ = 1\nelse:\n    return_ = 2\n", "branches_swapped"),
        ("LIMIT = 10\n", "constant_change"),
        (f"X = [{'1, ' * 100}]\n", "constant_change"),
        ("@dataclass\nclass A:\n    n: int = 3\n", "constant_change"),
        ("def f(x):\n    if x:\n        return 1\n    x = x + 1\n    return x\n", "arithmetic_operator"),
        ("match x:\n    case 1 if a > b:\n        y = f(a, b)\n", "argument_swap"),
        ("f = lambda a, b: a - b\n", "operand_swap"),
        ("x = f'{a + b} {{'\n", "arithmetic_operator"),
        ("try:\n    f()\nexcept* ValueError:\n    x = 1 + 2\n", "arithmetic_operator"),
    ],
)
def test_live_code_is_not(code: str, operator: str) -> None:
    assert operator in {site.operator for site in find_sites(read("a.py", code.encode()))}


def test_a_qualified_name_says_where_a_site_is() -> None:
    code = "class A:\n    class B:\n        def f(self):\n            def g(): return 1 + x\nC = 1 + x\n"
    sites = find_sites(read("a.py", code.encode()), ["arithmetic_operator"])
    assert [(site.qualname, site.first_line) for site in sites] == [("A.B.f.g", 4), ("", 5)]
