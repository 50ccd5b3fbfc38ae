"""Hostile and buggy programs, as data.

`REFUSED` is for the gate. `HARMFUL` and `STOPPED` reach the worker with the gate off, where they
do break out of Python's own restrictions: what holds them then is the process alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from gensim_envs.sandbox.client import Sandbox

GOOD = '''"""Put a block into a zone."""

import math

from gensim_envs.api import Block, Scene, Task, Zone

SIDE = 0.04 * 1  # metres


def half(x: float) -> float:
    return x / 2


class GoodTask(Task):
    """Put one block into the zone."""

    version = 3
    TURNS = (0.0, -1.5)

    def build(self, scene: Scene) -> None:
        zone = scene.add(Zone("red"))
        names = [name for name in scene.colors(2)]
        block = scene.add(Block(names[0]))
        assert math.isclose(half(SIDE) ** 2, 0.0004) and self.pick(1) < 0
        for _ in range(2):
            pass
        scene.goal(f"put the {block} into the {zone}", block, inside=zone)

    def pick(self, k: int) -> float:
        return self.TURNS[k]
'''


class Ungated(Sandbox):
    """A sandbox without a gate, to show that the worker holds by itself."""

    def _check(self, source: str) -> None:
        pass


HEAD = "from gensim_envs.api import Block, Scene, Task, Zone\n"


def in_build(body: str, *, top: str = "", inside: str = "") -> str:
    """A program whose `build` is `body`, with more at the top and in the class."""
    text = HEAD + top + "\nclass Bad(Task):\n"
    for line in inside.splitlines():
        text += f"    {line}\n"
    text += "    def build(self, scene):\n"
    return text + "".join(f"        {line}\n" for line in (body or "pass").splitlines())


REFUSED: dict[str, tuple[str, str]] = {
    # name: (program, what the message must name)
    "while": (in_build("while True:\n    pass"), "while"),
    "try": (in_build("try:\n    pass\nexcept Exception:\n    pass"), "try"),
    "try star": (in_build("try:\n    pass\nexcept* OSError:\n    pass"), "except*"),
    "lambda": (in_build("f = lambda: 1"), "lambda"),
    "with": (in_build("with scene:\n    pass"), "with"),
    "global": (in_build("global x"), "global"),
    "nonlocal": (in_build("nonlocal x"), "nonlocal"),
    "del": (in_build("x = 1\ndel x"), "del"),
    "raise": (in_build("raise scene"), "raise"),
    "yield": (in_build("yield 1"), "yield"),
    "yield from": (in_build("yield from ()"), "yield from"),
    "await": (in_build("await scene"), "await"),
    "async def": (in_build("async def f():\n    pass"), "async def"),
    "async comprehension": (in_build("[x async for x in scene]"), "async"),
    "match": (in_build("match scene:\n    case object(add=x):\n        x"), "match"),
    "walrus": (in_build("(x := 1)"), ":="),
    "set": (in_build("for name in {'a', 'b'}:\n    pass"), "a set"),
    "set comprehension": (in_build("x = {y for y in 'ab'}"), "a set"),
    "set()": (in_build("x = set('ab')"), "set is not available"),
    "decorator": (in_build("", inside="@print\ndef f(self):\n    pass"), "decorators"),
    "decorated class": (HEAD + "@Scene\nclass Bad(Task):\n    def build(self, scene): 1", "decor"),
    "nested function": (in_build("def f():\n    pass"), "nested"),
    "nested class": (in_build("class A(Task):\n    pass"), "nested"),
    "second class": (in_build("") + "class Also(Task):\n    pass\n", "2 classes"),
    "no class": ("from gensim_envs.api import Task\n", "0 classes"),
    "no build": (HEAD + "class Bad(Task):\n    pass\n", "build"),
    "build twice": (in_build("", inside="def build(self, scene):\n    pass"), "build"),
    "build with more": (HEAD + "class Bad(Task):\n    def build(self, scene, x): pass", "build"),
    "static": (HEAD + "class Bad(Task):\n    def build(scene): pass", "build"),
    "no base": (HEAD + "class Bad:\n    def build(self, scene): pass", "Task"),
    "two bases": (HEAD + "class Bad(Task, Scene):\n    def build(self, scene): pass", "Task"),
    "computed base": (HEAD + "class Bad(Scene(Task)):\n    def build(self, scene): 1", "Task"),
    "metaclass": (
        HEAD + "class Bad(Task, metaclass=Scene):\n    def build(self, scene): 1",
        "Task",
    ),
    "keyword": (HEAD + "class Bad(Task, x=1):\n    def build(self, scene): pass", "Task"),
    "module-level call": (in_build("", top="X = Block('red')\n"), "a call"),
    "module-level loop": (in_build("", top="for X in (1, 2):\n    pass\n"), "a loop"),
    "module-level if": (in_build("", top="if 1:\n    X = 1\n"), "if"),
    "module-level comprehension": (in_build("", top="X = [y for y in ()]\n"), "a list comp"),
    "module-level f-string": (in_build("", top="X = f'{Block}'\n"), "an f-string"),
    "lower-case constant": (in_build("", top="x = 1\n"), "x is not a constant"),
    "main": (in_build("") + "if __name__ == '__main__':\n    Bad()\n", "if"),
    "class-body call": (in_build("", inside="X = Block('red')"), "a call"),
    "class-body loop": (in_build("", inside="for X in (1, 2):\n    pass"), "a loop"),
    "class-body import": (in_build("", inside="import math"), "import"),
    "version": (in_build("", inside="version = 1.5"), "version"),
    "negative version": (in_build("", inside="version = -1"), "version"),
    "__init_subclass__": (in_build("", inside="def __init_subclass__(cls):\n    1"), "init_sub"),
    "__init__": (in_build("", inside="def __init__(self):\n    pass"), "__init__"),
    "operator overloading": (in_build("", inside="def __add__(self, x):\n    pass"), "__add__"),
    "__slots__": (in_build("", inside="__slots__ = ()"), "__slots__"),
    "class cell": (in_build("x = __class__"), "__class__"),
    "attribute walk": (in_build("().__class__.__base__.__subclasses__()"), "underscore"),
    "single underscore": (in_build("scene._items"), "_items"),
    "underscored name": (in_build("_x = 1"), "_x"),
    "underscored keyword": (in_build("dict(_x=1)"), "_x"),
    "generator frame": (in_build("x = (y for y in ()).gi_frame.f_back"), "gi_frame"),
    "generator code": (in_build("x = (y for y in ()).gi_code"), "gi_code"),
    "traceback": (in_build("x = scene.tb_frame.f_globals"), "tb_frame"),
    "with_traceback": (in_build("x = scene.with_traceback"), "with_traceback"),
    "mro": (in_build("x = Scene.mro()"), "mro"),
    "frame of self": (
        in_build("", top="def frame(self, gi_frame):\n    return self.gi_frame\n"),
        "self is bound",
    ),
    "frame by a method": (
        in_build("", inside="def gi_frame(self):\n    return self.gi_frame"),
        "gi_frame is not allowed",
    ),
    "bit generator of self": (
        in_build("", inside="bit_generator = 0\ndef f(self):\n    return self.bit_generator"),
        "class level",
    ),
    "call on the class": (
        in_build("Bad.f(scene)", inside="def f(self):\n    pass"),
        "Bad is used inside itself",
    ),
    "method in a constant": (
        in_build("self.F[0](scene)", inside="def f(self):\n    pass\nF = (f,)"),
        "method f",
    ),
    "method of another": (in_build("scene.f()", inside="def f(self):\n    pass"), "f is not"),
    "self assigned": (in_build("self = (x for x in ())"), "self is bound"),
    "self in a loop": (in_build("for self in (1, 2):\n    pass"), "self is bound"),
    "self in a comprehension": (in_build("x = [self for self in (1, 2)]"), "self is bound"),
    "self as a keyword": (
        in_build("", inside="def f(self, *, self_=1):\n    pass").replace("self_=1", "math=1"),
        "math is bound",
    ),
    "module as self": ("import math as self\n" + in_build(""), "self is bound"),
    "class as math": (
        in_build("").replace("import Block", "import Block as math"),
        "math is bound",
    ),
    "str.format": (in_build("'{0.x}'.format(scene)"), "format"),
    "str.format_map": (in_build("'{x}'.format_map({})"), "format_map"),
    "format by name": (in_build("x = 'a'.format"), "format"),
    "% formatting": (in_build("x = '%999999999d' % 1"), "%"),
    "f-string attribute": (in_build("x = f'{scene.__class__}'"), "__class__"),
    "f-string conversion": (in_build("x = f'{scene!r}'"), "conversion"),
    "f-string width": (in_build("x = f'{1:999999999d}'"), "format"),
    "f-string nested spec": (in_build("x = f'{1:{9 ** 9}}'"), "format"),
    "rng's ctypes": (in_build("scene.rng.bit_generator.ctypes"), "bit_generator"),
    "array to file": (in_build("scene.rng.permutation(3).tofile('x')"), "tofile"),
    "attribute assignment": (in_build("scene.rng = 1"), "assigned"),
    "self assignment": (in_build("self.x = 1"), "assigned"),
    "assignment in for": (in_build("for scene.rng in ():\n    pass"), "assigned"),
    "augmented attribute": (in_build("self.version += 1"), "assigned"),
    "import os": ("import os\n" + in_build(""), "import os"),
    "import numpy": ("import numpy as np\n" + in_build(""), "import numpy"),
    "import api": ("import gensim_envs.api\n" + in_build(""), "import gensim_envs.api"),
    "import as math": ("import os as math\n" + in_build(""), "import os"),
    "from os": ("from os import system\n" + in_build(""), "import from os"),
    "from task": ("from gensim_envs.task import scene\n" + in_build(""), "gensim_envs.task"),
    "relative": ("from . import api\n" + in_build(""), "import from ."),
    "future": ("from __future__ import annotations\n" + in_build(""), "__future__"),
    "star import": ("from gensim_envs.api import *\n" + in_build(""), "star"),
    "unknown name of the api": ("from gensim_envs.api import Blok\n" + in_build(""), "no Blok"),
    "hidden name of the api": ("from gensim_envs.api import __name__\n" + in_build(""), "__name__"),
    "import in build": (in_build("import math"), "import"),
    "not imported": (
        "from gensim_envs.api import Task\n" + in_build("Bowl"),
        "Bowl is not imported",
    ),
    "undefined": (in_build("np.zeros(3)"), "np is not defined"),
    "print": (in_build("print(1)"), "print"),
    "open": (in_build("open('/etc/passwd')"), "open"),
    "eval": (in_build("eval('1')"), "eval"),
    "exec": (in_build("exec('1')"), "exec"),
    "compile": (in_build("compile('1', '', 'eval')"), "compile"),
    "getattr": (in_build("getattr(scene, 'x')"), "getattr"),
    "type": (in_build("type(scene)"), "type"),
    "vars": (in_build("vars(scene)"), "vars"),
    "super": (in_build("super().build(scene)"), "super"),
    "globals": (in_build("globals()"), "globals"),
    "breakpoint": (in_build("breakpoint()"), "breakpoint"),
    "pow": (in_build("pow(9, 9 ** 9)"), "pow"),
    "__import__": (in_build("__import__('os')"), "__import__"),
    "__builtins__": (in_build("__builtins__['open']"), "__builtins__"),
    "huge power": (in_build("x = 9 ** 9 ** 9"), "power"),
    "power by name": (in_build("n = 10 ** 9\nx = 9 ** n"), "power"),
    "augmented power": (in_build("n = 9\nn **= n"), "power"),
    "shift": (in_build("x = 1 << 10"), "<<"),
    "augmented shift": (in_build("x = 1\nx <<= 10"), "<<"),
    "huge integer": (in_build("x = 99999999999"), "number"),
    "infinity": (in_build("x = 1e999"), "number"),
    "huge text": (in_build(f"x = '{'a' * 3000}'"), "text"),
    "bytes": (in_build("x = b'abc'"), "bytes"),
    "complex": (in_build("x = 1j"), "complex"),
    "ellipsis": (in_build("x = ..."), "ellipsis"),
    "called default": (in_build("", inside="def f(self, x=Block('red')):\n    1"), "default"),
    "list default": (in_build("", inside="def f(self, x=[]):\n    pass"), "default"),
    "keyword default": (in_build("", inside="def f(self, *, x=Block):\n    pass"), "default"),
    "called annotation": (
        in_build("", inside="def f(self, x: Block('red')):\n    1"),
        "annotation",
    ),
    "called return annotation": (
        in_build("", top="def f() -> Block('red'):\n    1\n"),
        "annotation",
    ),
    "annotated variable": (in_build("x: [y for y in ()] = 1"), "annotation"),
    "annotation by name": (in_build("", inside="def f(self, x: eval):\n    pass"), "eval"),
    "lookalike name": (in_build("\uff4f\uff50\uff45\uff4e('x')"), "non-ASCII"),
    "lookalike attribute": (in_build("scene.\uff41dd(1)"), "non-ASCII"),
    "accented name": (in_build("é = 1"), "non-ASCII"),
    "deep expression": (in_build("x = " + "-" * 60 + "1"), "nested"),
    "long sum": (in_build("x = " + "+".join("1" * 100)), "nested"),
    "too long": (in_build("#" * 30_000), "longer"),
    "way too long": ("x" * 10_000_000, "longer"),
    "an encoding": ("# coding: utf-7 +AAo-import os\n" + in_build(""), "encoding"),
    "a long class name": (in_build("").replace("Bad", "B" * 81), "over 80 characters"),
    "long in bytes": (in_build("'" + "é" * 15_000 + "'"), "longer"),
}

UNPARSABLE: dict[str, tuple[str, str]] = {
    "lookalike underscores": (in_build("scene.\uff3f\uff3fclass\uff3f\uff3f"), "SyntaxError"),
    "empty": ("", "empty"),
    "blank": (" \n\n", "empty"),
    "prose": ("Here is the task you asked for.", "SyntaxError"),
    "indentation": ("class A(Task):\npass", "IndentationError"),
    "tabs": ("if 1:\n\tx\n        y", "TabError"),
    "open bracket": ("x = (1", "SyntaxError"),
    "null": ("x = 1\n\0", "U+0000"),
    "surrogate": ("x = '\ud800'", "U+D800"),
    "lone carriage return": ("x = 1\rimport os", "U+000D"),
    "form feed": ("x = 1\n\fimport os", "U+000C"),
    "deep brackets": ("(" * 5000 + ")" * 5000, "parentheses"),
    "deep unary": ("x = " + "-" * 19_000 + "1", "cannot be parsed"),
    "deep attributes": ("x" + ".a" * 9_000, ""),
    "deep calls": ("x" + "()" * 9_000, ""),
    "deep blocks": ("".join(" " * k + "if 1:\n" for k in range(150)) + " " * 150 + "x", "Indent"),
    "long integer": ("x = " + "9" * 5000, "SyntaxError"),
    "python 2": ("print 'x'", "SyntaxError"),
}


@dataclass(frozen=True)
class Harm:
    """A deed that leaves evidence where nothing confines it.

    Attributes:
        body: of `build`; `os`, `sys` and `libc` are there, and `{place}` is a folder of the
            test's, `{port}` a UDP port on which it listens and `{victim}` a process it started.
        evidence: "file", "packet", "signal" or "text" (the error then holds the text SECRET).
        says: what the sandbox's error must name.
    """

    body: str
    evidence: str
    says: str


ESCAPE = (
    HEAD
    + '''

class Bad(Task):
    """Breaks out through the globals of the base class."""

    def build(self, scene):
        real = Task.build.__globals__["__builtins__"]
        sys = real["__import__"]("sys")
        os = sys.modules["os"]
        ctypes = sys.modules["ctypes"]
        libc = ctypes.CDLL(None, use_errno=True)
        OSError = real["OSError"]
        ValueError = real["ValueError"]
        good(scene)
'''
)

GOOD_SCENE = """

def good(scene):
    zone = scene.add(Zone("blue"))
    scene.goal("put the red block into the blue zone", scene.add(Block("red")), inside=zone)
"""


def escaped(body: str) -> str:
    """A program that describes a good scene and then does `body`, with all of Python at hand."""
    return ESCAPE + "".join(f"        {line}\n" for line in body.splitlines()) + GOOD_SCENE


def to_its_pipe(data: str, *, again: bool = False) -> str:
    """A program that writes the bytes of the expression `data` to whatever it has open."""
    loop = "while" if again else "if"
    return escaped(
        f"for fd in range(3, 20):\n    try:\n        {loop} 1:\n            os.write(fd, {data})\n"
        "    except OSError:\n        pass"
    )


SYSTEM_CALL = "forbidden system call"
PERMISSION = "sandbox forbids"
_FILE = "'{place}/evidence'"
_TOUCH = "b'/usr/bin/touch {place}/evidence'"

HARMFUL: dict[str, Harm] = {
    # starting programs
    "fork": Harm(
        f"if os.fork() == 0:\n    os.close(os.open({_FILE}, 65))\n    os._exit(0)",
        "file",
        SYSTEM_CALL,
    ),
    "os.system": Harm(f"os.system({_TOUCH})", "file", SYSTEM_CALL),
    "libc.system": Harm(f"libc.system({_TOUCH})", "file", SYSTEM_CALL),
    "posix_spawn": Harm(
        f"os.posix_spawn('/usr/bin/touch', ['touch', {_FILE}], {{}})", "file", SYSTEM_CALL
    ),
    "exec": Harm(f"os.execv('/usr/bin/touch', ['touch', {_FILE}])", "file", SYSTEM_CALL),
    "thread": Harm(
        "import_ = real['__import__']\n"
        f"import_('_thread').start_new_thread(os.open, ({_FILE}, 65))\n"
        "import_('time').sleep(0.2)",
        "file",
        SYSTEM_CALL,
    ),
    # files
    "write": Harm(f"real['open']({_FILE}, 'w').close()", "file", PERMISSION),
    "write through libc": Harm(
        f"if libc.open({_FILE}.encode(), 65, 0o600) < 0:\n"
        "    raise OSError(ctypes.get_errno(), 'open')",
        "file",
        PERMISSION,
    ),
    "make a folder": Harm(f"os.mkdir({_FILE})", "file", PERMISSION),
    "rename": Harm(f"os.rename('{{place}}/secret', {_FILE})", "file", PERMISSION),
    "link": Harm(f"os.symlink('/etc', {_FILE})", "file", PERMISSION),
    "read": Harm("raise ValueError(real['open']('{place}/secret').read())", "text", PERMISSION),
    "list": Harm("raise ValueError(os.listdir('{place}/secrets'))", "text", PERMISSION),
    "read a link": Harm("raise ValueError(os.readlink('{place}/link'))", "text", PERMISSION),
    "environment": Harm("raise ValueError(os.environ['SECRET'])", "text", "KeyError"),
    "environment of the parent": Harm(
        "raise ValueError(real['open']('/proc/{victim}/environ').read())", "text", PERMISSION
    ),
    # network
    "udp": Harm(
        "address = b'\\x02\\x00' + ({port}).to_bytes(2, 'big') + b'\\x7f\\x00\\x00\\x01'\n"
        "address += b'\\x00' * 8\n"
        "libc.sendto(libc.socket(2, 2, 0), b'x', 1, 0, address, 16)",
        "packet",
        SYSTEM_CALL,
    ),
    # signals
    "kill": Harm("os.kill({victim}, 15)", "signal", SYSTEM_CALL),
    "kill the group": Harm("os.killpg({victim}, 15)", "signal", SYSTEM_CALL),
    "queue a signal": Harm(
        "libc.pidfd_send_signal(os.pidfd_open({victim}), 15, None, 0)", "signal", SYSTEM_CALL
    ),
}
"""Each of these does its deed in an unconfined interpreter; a test shows that it does."""

STOPPED: dict[str, tuple[str, str]] = {
    # name: (program, what the error must name; "" where the draw may as well succeed)
    "loop": (escaped("while True:\n    pass"), "ran for more than"),
    "loop that swallows": (
        escaped(
            "while True:\n    try:\n        while True:\n            pass\n"
            "    except real['BaseException']:\n        pass"
        ),
        "ran for more than",
    ),
    "loop in C": (in_build("x = 9 ** 9 ** 9"), "ran for more than"),
    "loop by for": (in_build("for x in range(10 ** 12):\n    pass"), "ran for more than"),
    "sleep": (escaped("real['__import__']('time').sleep(60)"), "ran for more than"),
    "integer to text": (in_build("x = str(10 ** 5000)"), "ValueError"),
    "factorial": (in_build("import math\nx = math.factorial(10 ** 8)"), "ran for more than"),
    "memory at once": (in_build("x = [0] * 10 ** 10"), "used more than"),
    "memory by and by": (in_build("x = []\nwhile True:\n    x += [1.5] * 10000"), "used more than"),
    "memory in small pieces": (
        in_build("x = []\nwhile True:\n    x.append([x])"),
        "used more than",
    ),
    "memory of numpy": (in_build("scene.rng.random(10 ** 10)"), "used more than"),
    "memory, swallowed": (
        in_build(
            "x = []\nwhile True:\n    try:\n        x += [0] * 10 ** 6\n    except:\n        pass"
        ),
        "program",
    ),
    "recursion": (in_build("self.build(scene)"), "RecursionError"),
    "recursion without limit": (
        escaped("sys.setrecursionlimit(10 ** 9)\nself.build(scene)"),
        "",
    ),
    "recursion in C": (
        escaped(
            "x = ()\nsys.setrecursionlimit(10 ** 9)\n"
            "for _ in range(10 ** 6):\n    x = (x,)\nreal['hash'](x)"
        ),
        "program",
    ),
    "many objects": (in_build("for _ in range(10 ** 5):\n    scene.add(Block('red'))"), "60 items"),
    "print": (escaped("for _ in range(10 ** 4):\n    real['print']('x' * 1000)"), ""),
    "huge spec": (
        escaped(
            "spec = sys.modules['gensim_envs.task.spec'].TaskSpec\n"
            "spec.to_json = real['eval']('lambda self: {\"x\": \"x\" * 10**7}')"
        ),
        "wrote more than",
    ),
    "floods its pipe": (
        to_its_pipe("b'x' * 10**5", again=True),
        "wrote more than",
    ),
    "garbled answer": (
        to_its_pipe("b'[[[\\n'"),
        "answered ",
    ),
    "nested answer": (
        to_its_pipe("b'[' * 10**6 + b'\\n'"),
        "answered ",
    ),
    "forged answer": (
        to_its_pipe('b\'{"ok": {}, "redraws": 0}\\n\''),
        "answered ",
    ),
    "forged spec": (
        escaped(
            "spec = sys.modules['gensim_envs.task.spec'].TaskSpec\n"
            "spec.to_json = real['eval']('lambda self: {\"name\": 3}')"
        ),
        "task spec is malformed",
    ),
    "forged error": (
        escaped(
            "error = sys.modules['gensim_envs.errors'].TaskError\n"
            "worker = sys.modules['gensim_envs.sandbox.worker']\n"
            "worker.asdict = real['eval']('lambda self: {\"problem\": []}')\n"
            "raise error('x')"
        ),
        "neither a spec nor an error",
    ),
    "forged cause": (
        escaped("error = sys.modules['gensim_envs.errors'].TaskError\nraise error('x', cause='y')"),
        "invalid error cause",
    ),
    "unserialisable error": (
        escaped(
            "error = sys.modules['gensim_envs.errors'].TaskError\nraise error('x', goal=scene)"
        ),
        "program",
    ),
    "long message": (in_build("assert 0, 'x' * 10 ** 7"), "AssertionError: xxx"),
    "raising message": (
        escaped(
            "class E(real['Exception']):\n    def __str__(self):\n        raise self\nraise E()"
        ),
        "E: (its text raised E)",
    ),
    "exit": (escaped("os._exit(0)"), "ended its process"),
    "SystemExit": (escaped("sys.exit()"), "SystemExit"),
    "KeyboardInterrupt": (escaped("raise real['KeyboardInterrupt']"), "KeyboardInterrupt"),
    "abort": (escaped("os.abort()"), "Aborted"),
    "segfault": (escaped("ctypes.string_at(0)"), "Segmentation"),
    "kills itself": (escaped("os.kill(os.getpid(), 9)"), "was killed"),
    "stops itself": (escaped("os.kill(os.getpid(), 19)"), "ran for more than"),
    "closes everything": (escaped("os.closerange(0, 100)"), "program"),
    "fork bomb": (escaped("while True:\n    os.fork()"), SYSTEM_CALL),
    "tcp": (escaped("libc.socket(2, 1, 0)"), SYSTEM_CALL),
    "unix": (escaped("libc.socket(1, 1, 0)"), SYSTEM_CALL),
    "netlink": (escaped("libc.socket(16, 3, 0)"), SYSTEM_CALL),
    "raw": (escaped("libc.socket(2, 3, 1)"), SYSTEM_CALL),
    "packet": (escaped("libc.socket(17, 3, 0)"), SYSTEM_CALL),
    "socketpair": (
        escaped("libc.socketpair(1, 1, 0, ctypes.create_string_buffer(8))"),
        SYSTEM_CALL,
    ),
    "memfd": (escaped("os.memfd_create('x')"), SYSTEM_CALL),
    "io_uring": (escaped("libc.syscall(425, 1, ctypes.create_string_buffer(256))"), SYSTEM_CALL),
    "trace": (escaped("libc.ptrace(0x4206, os.getpid(), 0, 0)"), SYSTEM_CALL),
    "read a process": (escaped("libc.process_vm_readv(1, None, 0, None, 0, 0)"), SYSTEM_CALL),
    "x32 numbering": (escaped("libc.syscall(0x40000000 + 39)"), SYSTEM_CALL),
    "unshare": (escaped("libc.unshare(0x10000000)"), SYSTEM_CALL),
    "executable memory": (
        escaped(
            "libc.mmap.restype = ctypes.c_long\n"
            "if libc.mmap(None, 4096, 7, 0x22, -1, 0) == -1:\n"
            "    raise OSError(ctypes.get_errno(), 'mmap')"
        ),
        PERMISSION,
    ),
    "raises its limits": (
        escaped(
            "if libc.setrlimit(9, (ctypes.c_ulong * 2)(-1, -1)) < 0:\n"
            "    raise real['OSError'](ctypes.get_errno(), 'setrlimit')"
        ),
        PERMISSION,
    ),
    "clears its death signal": (
        escaped(
            "if libc.prctl(1, 0, 0, 0, 0) < 0:\n"
            "    raise real['OSError'](ctypes.get_errno(), 'prctl')"
        ),
        PERMISSION,
    ),
    "imports": (in_build("import os"), "ImportError: os"),
    "imports the package": (in_build("import gensim_envs.api"), "ImportError: gensim_envs.api"),
    "opens": (in_build("open('/etc/passwd')"), "NameError"),
    "no task": ("x = 1\n", "0 classes"),
    "no python": ("x = (\n", "SyntaxError"),
    "division": (in_build("x = 0\n1 / x"), "ZeroDivisionError"),
    "nothing": (in_build(""), ""),
}
"""Contained by the worker alone; most would hang or break the process that ran them."""
