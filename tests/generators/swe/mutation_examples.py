"""For every operator, code as it should be and as a person who makes the mistake would have it."""

from __future__ import annotations

EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "comparison_boundary": [("ok = a < b\n", "ok = a <= b\n"), ("ok = a  >=b  # c\n", "ok = a  >b  # c\n")],
    "comparison_flip": [
        ("ok = a is not b\n", "ok = a is b\n"),
        ("ok = a in(b)\n", "ok = a not in(b)\n"),
        ("ok = a < b < c\n", "ok = a < b > c\n"),
    ],
    "boolean_operator": [("ok = a and(b) or c\n", "ok = a or(b) or c\n"), ("ok = (a)or(b)\n", "ok = (a)and(b)\n")],
    "condition_part_dropped": [("if a and not b:\n    f()\n", "if not b:\n    f()\n"), ("x = (a or b)\n", "x = (a)\n")],
    "not_removed": [("ok = not(a)\n", "ok = (a)\n"), ("def f(x):\n    return not x\n", "def f(x):\n    return x\n")],
    "condition_inverted": [
        ("if(a or b):\n    f()\n", "if not (a or b):\n    f()\n"),
        ("while queue:\n    f()\n", "while not queue:\n    f()\n"),
        ("x = [y for y in z if y.ok]\n", "x = [y for y in z if not y.ok]\n"),
    ],
    "arithmetic_operator": [("x = a + b\n", "x = a - b\n"), ("x = a //b\n", "x = a /b\n")],
    "augmented_operator": [("x += 1\n", "x -= 1\n")],
    "accumulation_lost": [("total += price * n\n", "total = price * n\n")],
    "operand_swap": [
        ("x = a - b * c\n", "x = (b * c) - a\n"),
        ("x = name + '.txt'\n", "x = '.txt' + name\n"),
    ],
    "sign_removed": [("x = -width\n", "x = width\n")],
    "constant_change": [
        ("x = 0\n", "x = 1\n"),
        ("x = 3600\n", "x = 360\n"),
        ("x = 0xFF\n", "x = 0xfe\n"),
        ("f(x, reverse=True)\n", "f(x, reverse=False)\n"),
        ("x = 0.5\n", "x = 5.0\n"),
    ],
    "default_change": [
        ("def f(a, n=1): pass\n", "def f(a, n=0): pass\n"),
        ("def f(*, deep: bool = False): pass\n", "def f(*, deep: bool = True): pass\n"),
        ("def f(a, sep=', '): pass\n", "def f(a, sep=','): pass\n"),
    ],
    "key_changed": [
        ("x = d['items']\n", "x = d['item']\n"),
        ("x = d.get('user_id')\n", "x = d.get('user-id')\n"),
        ("x = {'name': 1}\n", "x = {'names': 1}\n"),
    ],
    "separator_changed": [
        ("x = ', '.join(y)\n", "x = ','.join(y)\n"),
        ("x = y.split('.')\n", "x = y.split(',')\n"),
        ("x = y.replace('/', sep)\n", "x = y.replace('\\\\', sep)\n"),
    ],
    "index_off_by_one": [
        ("x = y[0]\n", "x = y[1]\n"),
        ("x = y[-1]\n", "x = y[-2]\n"),
        ("x = y[i + 1]\n", "x = y[i]\n"),
        ("x = y[i]\n", "x = y[i - 1]\n"),
    ],
    "slice_off_by_one": [
        ("x = y[1:]\n", "x = y[:]\n"),
        ("x = y[:-1]\n", "x = y[:]\n"),
        ("x = y[:n]\n", "x = y[:n - 1]\n"),
        ("x = y[::-1]\n", "x = y[::1]\n"),
        ("x = y[0:3]\n", "x = y[1:3]\n"),
    ],
    "range_off_by_one": [
        ("x = list(range(n))\n", "x = list(range(n - 1))\n"),
        ("x = list(range(0, n + 1))\n", "x = list(range(0, n))\n"),
        ("x = enumerate(y, start=1)\n", "x = enumerate(y)\n"),
    ],
    "argument_swap": [("f(a, b + 1)\n", "f(b + 1, a)\n"), ("f(x=a, y=b)\n", "f(x=b, y=a)\n")],
    "argument_dropped": [
        ("f(a, key=k, reverse=True)\n", "f(a, reverse=True)\n"),
        ("f(\n    key=k,\n)\n", "f(\n    )\n"),
        ("x = d.get(k, 0)\n", "x = d.get(k)\n"),
    ],
    "call_removed": [
        ("def f(x):\n    # in order\n    x.sort()\n    return x\n", "def f(x):\n    return x\n"),
        ("def f(x):\n    if x: x.close()\n    x.y()\n", "def f(x):\n    if x: x.close()\n"),
        ("def f(x):\n    del x[0]\n", "def f(x):\n    pass\n"),
    ],
    "call_unwrapped": [
        ("x = line.strip().split(',')\n", "x = line.split(',')\n"),
        ("x = sorted(a or b)\n", "x = (a or b)\n"),
        ("x = copy.deepcopy(y)\n", "x = y\n"),
        ("x = tuple(a for a in y)\n", "x = (a for a in y)\n"),
    ],
    "sibling_call": [("x = a.startswith(b)\n", "x = a.endswith(b)\n"), ("x = min(a, b)\n", "x = max(a, b)\n")],
    "await_removed": [("async def f(x):\n    return await(x)\n", "async def f(x):\n    return (x)\n")],
    "branches_swapped": [
        ("if a:\n    x = 1  # one\nelse:\n    x = 2\n", "if a:\n    x = 2\nelse:\n    x = 1  # one\n"),
        ("x = a if b else lambda: c\n", "x = (lambda: c) if b else a\n"),
    ],
    "branch_dropped": [
        ("if a:\n    x = 1\nelse:\n    x = 2\ny = 3\n", "if a:\n    x = 1\ny = 3\n"),
        ("if a:\n    x = 1\nelif b:\n    x = 2\n", "if b:\n    x = 2\n"),
        ("if a:\n    x = 1\nelif b:\n    x = 2\n", "if a:\n    x = 1\n"),
        ("if a:\n    x = 1\nelif b:\n    x = 2\nelif c:\n    x = 3\n", "if a:\n    x = 1\nelif c:\n    x = 3\n"),
        ("if a:\n    x = 1\ny = 2\n", "y = 2\n"),
    ],
    "guard_removed": [
        ("def f(x):\n    if not x: return 0\n    return x\n", "def f(x):\n    return x\n"),
        ("def f(x):\n    if x < 0:\n        raise ValueError(x)\n    g()\n", "def f(x):\n    g()\n"),
    ],
    "handler_removed": [
        (
            "try:\n    f()\nexcept KeyError:\n    g()\nexcept OSError:\n    h()\n",
            "try:\n    f()\nexcept OSError:\n    h()\n",
        ),
        ("try:\n    f()\nexcept KeyError:\n    g()\nfinally:\n    h()\n", "try:\n    f()\nexcept KeyError:\n    g()\n"),
    ],
    "loop_exit_changed": [
        ("for x in y:\n    if x: break\n    f()\n", "for x in y:\n    if x: continue\n    f()\n"),
        ("while a:\n    if b: continue\n    f()\n", "while a:\n    if b: break\n    f()\n"),
    ],
    "loop_removed": [("def f(x):\n    for y in x:\n        g(y)\n    return x\n", "def f(x):\n    return x\n")],
    "return_indented": [
        (
            "def f(x):\n  for y in x:\n    g(y)\n\n  return x\n",
            "def f(x):\n  for y in x:\n    g(y)\n\n    return x\n",
        )
    ],
    "filter_dropped": [("x = [y for y in z if y if w]\n", "x = [y for y in z if y]\n")],
    "return_dropped": [
        ("def f(x):\n    return g(x)  # so\n", "def f(x):\n    g(x)  # so\n"),
        ("def f(x):\n    return x + 1\n", "def f(x):\n    return None\n"),
    ],
    "return_variable": [
        ("def f(rows):\n    row = g()\n    return row\n", "def f(rows):\n    row = g()\n    return rows\n")
    ],
    "tuple_order": [
        ("def f(a, b):\n    return a, b\n", "def f(a, b):\n    return b, a\n"),
        ("for a, b in c: f()\n", "for b, a in c: f()\n"),
        ("(a, b), c = d\n", "c, (a, b) = d\n"),
    ],
    "assignment_removed": [
        ("def f(x):\n    x = x or []\n    return x\n", "def f(x):\n    return x\n"),
        ("def f(self):\n    self.x = 1\n    g()\n", "def f(self):\n    g()\n"),
        ("def f(n):\n    if n:\n        n += 1\n", "def f(n):\n    if n:\n        pass\n"),
    ],
    "statements_swapped": [
        (
            "def f(self, x):\n    self.n += 1  # up\n    self.log(self.n)\n",
            "def f(self, x):\n    self.log(self.n)\n    self.n += 1  # up\n",
        ),
    ],
    "variable_misused": [
        ("def f(start, stop):\n    return g(start)\n", "def f(start, stop):\n    return g(stop)\n"),
        (
            "def f(row, rows, z):\n    x = [row]\n",
            "def f(row, rows, z):\n    x = [rows]\n",
        ),
    ],
    "exception_caught": [
        ("try:\n    f()\nexcept KeyError as e:\n    g()\n", "try:\n    f()\nexcept IndexError as e:\n    g()\n"),
        ("try:\n    f()\nexcept(A, b.C):\n    g()\n", "try:\n    f()\nexcept A:\n    g()\n"),
    ],
    "exception_raised": [("raise ValueError(x)\n", "raise TypeError(x)\n"), ("raise KeyError\n", "raise IndexError\n")],
    "base_removed": [
        ("class A(B):\n    x = 1\n", "class A:\n    x = 1\n"),
        ("class A(B, C): x = 1\n", "class A(C): x = 1\n"),
    ],
    "method_removed": [
        (
            "class A(B):\n    x = 1\n\n    # why\n    @classmethod\n    def f(cls):\n        g()\n",
            "class A(B):\n    x = 1\n\n",
        ),
        ("class A:\n    def __eq__(self, o): return True\n", "class A:\n    pass\n"),
    ],
    "method_bodies_swapped": [
        (
            "class A:\n    def f(self):\n        '''F.'''\n        return 1\n    def g(self):\n        return 2\n",
            "class A:\n    def f(self):\n        '''F.'''\n        return 2\n    def g(self):\n        return 1\n",
        )
    ],
    "decorator_removed": [
        ("class A:\n    @property\n    def f(self): return 1\n", "class A:\n    def f(self): return 1\n"),
    ],
}
"""Operator: pairs of code before and after one of its sites."""

LEFT_ALONE: dict[str, str] = {
    "comparison_flip": "x = a + b\n",
    "arithmetic_operator": "x = 'a' + b\ny = '%s' % b\nz = [1] * n\n",
    "operand_swap": "x = a + b\ny = a * b\nz = a - a\n",
    "augmented_operator": "x += 'a'\n",
    "condition_part_dropped": "if (m := f()) and m.x:\n    g(m)\n",
    "condition_inverted": "if a == b:\n    f()\nwhile True:\n    g()\nif c:\n    f()\nelse:\n    g()\n",
    "constant_change": "while True:\n    f()\nx = y[1:2]\n",
    "argument_swap": "f(a, a)\nisinstance(a, b)\nmax(a, b)\nf(*a, b)\nf(a, k=b)\n",
    "call_unwrapped": "for x in list(y):\n    f(f'{str(x)}')\nsuper().copy()\n",
    "sibling_call": "x = y.split(',')\n",
    "loop_exit_changed": "while True:\n    if f():\n        break\n",
    "tuple_order": "x = f((a, b))\na, *b = c\n",
    "assignment_removed": "def f():\n    x = 1\n    return x\nX = 1\nX = 2\n",
    "statements_swapped": "def f():\n    x = 1\n    y = x\n",
    "variable_misused": "def f(self, x):\n    self.y(x)\n    if x:\n        z = 1\n    return x()\n",
    "return_variable": "def f(x):\n    if x:\n        y = 1\n    return x\n",
    "method_removed": "class A(B):\n    def f(self): return 1\n    g = f\nclass C:\n    def f(self): return 1\n",
    "method_bodies_swapped": "class A:\n    def f(self): return 1\n    def g(self, x): return 2\n",
    "decorator_removed": "class A:\n    @property\n    def f(self): return 1\n    @f.setter\n    def f(self, x): g()\n",
    "return_indented": "def f(x):\n    for y in x:\n        break\n    return y\n",
    "base_removed": "class A(object): pass\nclass B(Generic[T]): pass\n",
    "exception_caught": "try:\n    f()\nexcept Custom:\n    g()\n",
    "branches_swapped": "if a:\n    f()\nelse:\n    f()\n",
}
"""Operator: code in which it must find nothing, since the change would crash at once, hang, or change nothing."""
