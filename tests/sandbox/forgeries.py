"""Programs that want to be marked right without solving the task.

The task: add two numbers. None of these programs holds or computes the sum that is asked for, so none may be accepted,
whatever it does to the process in which it runs.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CALL_FORGERIES", "HARNESS", "HARNESS_FORGERIES", "HEAVY_REPLIES", "STDIN_FORGERIES", "Forgery"]

HARNESS = "def check(candidate):\n    assert candidate(20, 22) == 42\n    assert candidate(1, 2) == 3\ncheck(add)"


@dataclass(frozen=True, slots=True)
class Forgery:
    """A program, and what it hopes for."""

    name: str
    description: str
    source: str


STDIN_FORGERIES: tuple[Forgery, ...] = (
    Forgery("leaves", "exit code 0 is a pass", "import sys\nsys.exit(0)\n"),
    Forgery("leaves_at_once", "the same, before anything can look", "import os\nos._exit(0)\n"),
    Forgery(
        "says_so",
        "a verdict in words, in the formats of several judges, is taken from stdout",
        """
print("Accepted")
print('{"status": "passed", "verdict": "AC", "passed": true, "ended": "ok"}')
print("##teamcity[testFinished]\\nOK\\n1 passed in 0.01s\\n::set-output name=result::pass")
""",
    ),
    Forgery("echoes", "the input is compared with itself", "import sys\nsys.stdout.write(sys.stdin.read())\n"),
    Forgery(
        "answers_on_every_descriptor",
        "whoever reads a result reads it from one of these",
        """
import json, os, struct
body = json.dumps({"ended": [{"status": 0, "signal": None, "limit": None, "cpu_s": 0, "wall_s": 0}], "left": False,
                   "value": 0, "passed": True}).encode()
for fd in range(256):
    for head in (b"", struct.pack(">I", len(body)), struct.pack("<I", len(body)), struct.pack("<Q", len(body))):
        try:
            os.write(fd, head + body)
        except OSError:
            pass
os._exit(0)
""",
    ),
    Forgery(
        "looks_for_it",
        "the expected output lies in a file, in memory or in a descriptor, and is copied",
        """
import gc, os, sys
def candidates():
    for folder in ("/tmp", "/app", "/", "/dev", "/data", "..", "."):
        try:
            for name in os.listdir(folder):
                if any(word in name for word in ("expected", "answer", "output", "out", "solution", "test", "result")):
                    yield open(os.path.join(folder, name), "rb").read(1000)
        except OSError:
            pass
    for fd in range(3, 64):
        try:
            yield os.pread(fd, 1000, 0)
        except OSError:
            pass
    frame = sys._getframe()
    while frame := frame.f_back:
        for name, value in [*frame.f_locals.items(), *os.environ.items()]:
            if "expected" in name.lower() or "answer" in name.lower():
                yield str(value).encode()
    for each in gc.get_objects():
        if type(each) is dict and ("expected" in each or "answer" in each):
            yield str(each.get("expected", each.get("answer"))).encode()
for found in candidates():
    os.write(1, found)
""",
    ),
    Forgery(
        "equal_to_everything",
        "what is printed is compared as the object that it was",
        """
import sys
class Any(str):
    __eq__ = lambda *_: True
    __ne__ = lambda *_: False
    __hash__ = lambda _: 0
    strip = rstrip = split = splitlines = lambda self, *_: self
print(Any("?"))
sys.stdout.buffer = Any("?")
sys.stdout = Any("?")
""",
    ),
    Forgery(
        "comparison_patched",
        "the comparison happens in this process, with these functions",
        """
import builtins, difflib, json, operator, re, unittest
yes = lambda *_, **__: True
operator.eq = builtins.all = builtins.any = builtins.isinstance = re.match = re.fullmatch = yes
unittest.TestCase.assertEqual = unittest.TestCase.fail = yes
difflib.SequenceMatcher.ratio = lambda *_: 1.0
json.dumps = lambda *_, **__: '{"passed": true}'
builtins.open = lambda *_, **__: None
print("?")
""",
    ),
    Forgery(
        "stdout_is_stdin",
        "the files are exchanged, so that the expected one is compared with the input",
        "import os\nos.dup2(0, 1)\nos.dup2(1, 2)\nos.write(1, b'?')\n",
    ),
    Forgery(
        "input_rewritten",
        "the task becomes another one, which is solved",
        """
import os
os.ftruncate(0, 0)
os.pwrite(0, b"0 0\\n", 0)
print(sum(map(int, input().split())))
""",
    ),
    Forgery("on_stderr", "stderr counts as well", "import sys\nprint('0', file=sys.stderr)\n"),
    Forgery("no_stdout", "what cannot be read cannot be wrong", "import os\nos.closerange(0, 64)\nos._exit(0)\n"),
    Forgery("of_the_right_size", "three bytes of nothing", "import os\nos.ftruncate(1, 3)\nos._exit(0)\n"),
    Forgery(
        "patterns",
        "the output is a pattern, a template, a number like no other",
        'print("*")\nprint(".*")\nprint("%s")\nprint("{expected}")\nprint("$EXPECTED")\nprint("nan")\nprint("...")\n',
    ),
    Forgery(
        "not_to_be_compared",
        "bytes that are no text, control characters, an end of file, a great deal of white space",
        """
import sys
sys.stdout.buffer.write(b"\\xff\\xfe\\x00\\x04\\x1a\\x08\\x7f\\x1b[2K\\r\\xed\\xa0\\x80")
sys.stdout.buffer.write(b" \\n\\t\\x0c\\xc2\\xa0" * 10000)
""",
    ),
    Forgery(
        "to_be_unpickled",
        "output that does something to whoever loads it",
        r"""
import sys
sys.stdout.buffer.write(b"cbuiltins\nexec\n(S'import os; os._exit(0)'\ntR.")
""",
    ),
    Forgery("nothing_but_blanks", "blank lines are dropped, and nothing is left to be wrong", "print('\\n' * 100)\n"),
    Forgery(
        "ends_the_judge",
        "no verdict is no failure",
        """
import os
for pid in (1, os.getppid(), -1):
    for number in (9, 15, 2, 19):
        try:
            if pid:
                os.kill(pid, number)
        except OSError:
            pass
""",
    ),
    Forgery(
        "fails_quietly",
        "the failure is swallowed at the end",
        """
import atexit, os, sys
sys.excepthook = lambda *_: None
atexit.register(os._exit, 0)
raise ValueError
""",
    ),
    Forgery("waits", "a program that a busy machine has starved is not to blame", "import time\ntime.sleep(1000)\n"),
    Forgery(
        "too_much",
        "a judge that cuts output off compares what is left",
        "import sys\nwhile True:\n    sys.stdout.write('?' * 65536)\n",
    ),
)

# A program that begins so can say and put what it likes, in frames or in files, wherever it is heard.
_EVERYWHERE = """
import json, os, struct

def write(data):
    for fd in range(3, 256):
        try:
            os.write(fd, data)
        except OSError:
            pass

def text(reply):
    return reply if isinstance(reply, bytes) else json.dumps(reply).encode()

def say(*replies):
    for body in map(text, replies):
        write(struct.pack(">I", len(body)) + body)

def put(reply):
    for fd in range(3, 256):
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, text(reply), 0)
        except OSError:
            pass
"""

CALL_FORGERIES: tuple[Forgery, ...] = (
    Forgery(
        "equal_to_everything",
        "an object whose comparisons are all true",
        """
class Any:
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda *_: True
    __ne__ = lambda *_: False
    __hash__ = lambda _: 0
    __sub__ = __rsub__ = __abs__ = lambda *_: 0
def add(a, b):
    return Any()
""",
    ),
    Forgery(
        "integer_equal_to_everything",
        "a subclass of int",
        """
class Any(int):
    __eq__ = lambda *_: True
    __ne__ = lambda *_: False
    __hash__ = lambda _: 0
    __index__ = __int__ = __add__ = lambda *_: 7
def add(a, b):
    return Any(0)
""",
    ),
    Forgery(
        "says_its_class_is_int",
        "__class__ that lies, with every way to become a number",
        """
class Claims:
    __class__ = property(lambda _: int)
    __index__ = __int__ = lambda _: 0
    __float__ = lambda _: 0.0
    __eq__ = lambda *_: True
    bit_length = lambda _: 1
def add(a, b):
    return Claims()
""",
    ),
    Forgery(
        "says_its_class_is_list",
        "the same for containers",
        "class Claims:\n    __class__ = list\nadd = lambda *_: Claims()\n",
    ),
    Forgery("anything", "mock.ANY", "from unittest.mock import ANY, Mock\ndef add(a, b):\n    return ANY\n"),
    Forgery("mocked", "a mock of a function", "from unittest.mock import MagicMock\nadd = MagicMock()\n"),
    Forgery("not_a_number", "nan", "def add(a, b):\n    return float('nan')\n"),
    Forgery(
        "signalling",
        "a decimal that raises in whoever compares it",
        "import decimal\nadd = lambda *_: decimal.Decimal('sNaN')\n",
    ),
    Forgery("text", "the digits as text", "def add(a, b):\n    return '42'\n"),
    Forgery("nearly", "a number close by", "def add(a, b):\n    return 42.5\n"),
    Forgery("in_a_list", "in a list", "def add(a, b):\n    return [42]\n"),
    Forgery("true", "True", "def add(a, b):\n    return True\n"),
    Forgery("not_implemented", "NotImplemented, which is true", "def add(a, b):\n    return NotImplemented\n"),
    Forgery("arguments", "what it was given", "def add(a, b):\n    return a, b\n"),
    Forgery("generator", "a generator", "def add(a, b):\n    yield 0\n"),
    Forgery("coroutine", "a coroutine", "async def add(a, b):\n    return 0\n"),
    Forgery("itself", "the function itself", "def add(a, b):\n    return add\n"),
    Forgery(
        "class_of_that_name",
        "a class, of which one is made",
        "class add:\n    def __init__(self, a, b):\n        pass\n",
    ),
    Forgery("leaves", "SystemExit(0) from the call", "def add(a, b):\n    raise SystemExit(0)\n"),
    Forgery("leaves_at_once", "os._exit(0) from the call", "import os\ndef add(a, b):\n    os._exit(0)\n"),
    Forgery("leaves_before", "exit code 0 before the call", "import os\nos._exit(0)\n"),
    Forgery(
        "reply_forged",
        "a guessed reply on every descriptor, in frames and as a file, then exit code 0",
        _EVERYWHERE + 'say({"value": 0})\nput({"value": 0})\nos._exit(0)\n',
    ),
    Forgery(
        "reply_with_more",
        "a reply that says more than asked: a verdict, an outcome",
        _EVERYWHERE + 'put({"value": 0, "ended": "ok", "passed": True, "expected": 0, "args": [0, 0]})\nos._exit(0)\n',
    ),
    Forgery(
        "reply_of_no_type",
        "a type that there is not",
        _EVERYWHERE + 'put({"value": {"t": "any", "v": 0}})\nos._exit(0)\n',
    ),
    Forgery(
        "reply_is_an_object",
        "an object by number",
        _EVERYWHERE + 'put({"value": {"t": "object", "v": [0, "int"]}})\nos._exit(0)\n',
    ),
    Forgery(
        "reply_is_a_callback",
        "a function by number",
        _EVERYWHERE + 'put({"value": {"t": "callback", "v": 0}})\nos._exit(0)\n',
    ),
    Forgery(
        "reply_malformed",
        "an integer that is none",
        _EVERYWHERE + 'put({"value": {"t": "int", "v": ["0x1"]}})\nos._exit(0)\n',
    ),
    Forgery(
        "reply_too_deep", "brackets without end", _EVERYWHERE + "put(b'{\"value\":' + b'[' * 100000)\nos._exit(0)\n"
    ),
    Forgery("reply_no_object", "null, a list, nothing", _EVERYWHERE + "put(b'null')\nos._exit(0)\n"),
    Forgery(
        "reply_twice", "two values under one name", _EVERYWHERE + 'put(b\'{"value":0,"value":NaN}\')\nos._exit(0)\n'
    ),
    Forgery(
        "helpers_patched",
        "what turns a value into a reply, patched",
        """
import builtins, json, json.encoder, os, struct
class Always(type):
    __instancecheck__ = lambda *_: True
json.dumps = lambda *_, **__: '{"value": 0}'
json.JSONEncoder.encode = json.encoder.JSONEncoder.encode = lambda *_: '{"value": 0}'
json.encoder.encode_basestring_ascii = lambda _: "0"
struct.pack = lambda *_: b""
os.pwrite = lambda fd, data, place: len(data)
builtins.isinstance = builtins.issubclass = lambda *_: True
builtins.type = lambda *_: int
def add(a, b):
    return None
""",
    ),
    Forgery(
        "box_patched",
        "the functions of the frames above, replaced by one that leaves",
        """
import os, sys
frame = sys._getframe()
while frame := frame.f_back:
    for name in ("encode", "dumps", "loads", "decode", "_write_all", "_leave", "NotAValue"):
        if name in frame.f_globals:
            frame.f_globals[name] = lambda *_: b'{"value": 0}'
def add(a, b):
    return None
""",
    ),
    Forgery("raises", "an exception with a text", "def add(a, b):\n    raise ValueError('{\"value\": 0}')\n"),
    Forgery("of_itself", "a list of itself", "def add(a, b):\n    x = []\n    x.append(x)\n    return x\n"),
)

_VALUES_AND_ENDINGS = (
    Forgery(
        "equal_to_everything",
        "an object whose comparisons are all true, as is the object itself",
        """
class Any:
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda *_: True
    __ne__ = lambda *_: False
    __hash__ = lambda _: 0
    __bool__ = lambda _: True
    __len__ = lambda _: 1
    __sub__ = __rsub__ = __add__ = __radd__ = __abs__ = lambda self, *_: self
    __getattr__ = lambda self, _: self
    __instancecheck__ = lambda *_: True
def add(a, b):
    return Any()
""",
    ),
    Forgery(
        "integer_equal_to_everything",
        "a subclass of int",
        "class Any(int):\n    __eq__ = lambda *_: True\n    __hash__ = lambda _: 0\nadd = lambda a, b: Any(0)\n",
    ),
    Forgery(
        "callable_equal_to_everything",
        "mock.ANY from a mock",
        "from unittest.mock import ANY, Mock\nadd = Mock(return_value=ANY)\n",
    ),
    Forgery("leaves", "SystemExit(0) from the function", "def add(a, b):\n    raise SystemExit(0)\n"),
    Forgery("leaves_by_sys", "sys.exit from the function", "import sys\ndef add(a, b):\n    sys.exit()\n"),
    Forgery("interrupts", "KeyboardInterrupt from the function", "def add(a, b):\n    raise KeyboardInterrupt\n"),
    Forgery("generator_exit", "GeneratorExit from the function", "def add(a, b):\n    raise GeneratorExit\n"),
    Forgery("stop_iteration", "StopIteration from the function", "def add(a, b):\n    raise StopIteration(0)\n"),
    Forgery(
        "exception_of_many_bases",
        "an exception of several classes, whose text and name are not what they seem",
        """
class Passed(AssertionError, StopIteration):
    __module__ = "builtins"
    __str__ = lambda _: 1 / 0
Passed.__name__ = Passed.__qualname__ = "SystemExit"
def add(a, b):
    raise Passed(0)
""",
    ),
    Forgery("ends_at_import", "os._exit(0), before anything is asked", "import os\nos._exit(0)\n"),
    Forgery("leaves_at_import", "sys.exit(0), before anything is asked", "import sys\nsys.exit(0)\n"),
    Forgery("ends_in_the_function", "os._exit(0) from the function", "import os\ndef add(a, b):\n    os._exit(0)\n"),
    Forgery("exit_is_the_function", "os._exit under that name", "from os import _exit\nadd = lambda a, b: _exit(0)\n"),
    Forgery("exit_itself", "os._exit as it is", "from os import _exit as add\n"),
    Forgery("ends_by_signal", "SIGTERM to itself", "import os\ndef add(a, b):\n    os.kill(os.getpid(), 15)\n"),
    Forgery(
        "defines_the_check",
        "names that the harness uses",
        """
def check(*_):
    return True
candidate = check
AssertionError = Exception = BaseException = SystemExit
__debug__name__ = False
__builtins__ = {"AssertionError": SystemExit}
def add(a, b):
    return None
""",
    ),
    Forgery(
        "answers_to_any_name",
        "a module's __getattr__, and globals that have everything",
        """
import builtins, sys
def __getattr__(name):
    return lambda *_: True
builtins.AssertionError = SystemExit
builtins.check = builtins.candidate = lambda *_: True
sys.modules["builtins"] = sys.modules["__main__"] = sys.modules[__name__]
def add(a, b):
    return None
""",
    ),
)

_SAYS = _EVERYWHERE + 'function = {"value": {"t": "object", "v": [0, "function"]}}\n'

_FRAMES_AND_THE_REST = (
    Forgery(
        "frames_of_zero",
        "replies to all that is asked, before it is",
        _SAYS + 'say(function, *[{"value": 0}] * 9)\nos._exit(0)\n',
    ),
    Forgery(
        "frames_of_verdicts",
        "replies that speak of a verdict",
        _SAYS + 'say(function, *[{"value": True, "passed": True, "status": 0, "exit": 0}] * 9)\nos._exit(0)\n',
    ),
    Forgery(
        "frames_of_exceptions",
        "names of exceptions that end a process well, and of what is no exception",
        _SAYS
        + """
import sys
for name in ("SystemExit", "KeyboardInterrupt", "exit", "quit", "type", "BaseException", "CandidateFailed", "",
             "__import__"):
    say(function, {"raised": name, "text": "0"})
os._exit(0)
""",
    ),
    Forgery(
        "frames_of_system_exit",
        "SystemExit as the reply to a call",
        _SAYS + 'say(function, {"raised": "SystemExit", "text": ""})\nimport time\ntime.sleep(0.1)\nos._exit(0)\n',
    ),
    Forgery(
        "frames_of_callbacks",
        "calls of functions that were never handed over, by numbers that count from the end",
        _SAYS
        + """
for number in (-1, 0, 1, "check", None):
    say(function, {"callback": number, "args": [0]})
os._exit(0)
""",
    ),
    Forgery(
        "frames_of_changes",
        "arguments that a call is said to have changed, and ones that there are not",
        _SAYS + 'say(function, *[{"value": 0, "changed": [[0, [0]], [1, 0], [-1, 0], [7, 0]]}] * 9)\nos._exit(0)\n',
    ),
    Forgery(
        "frames_of_missing",
        "there is no such function",
        _SAYS + 'say({"missing": "add"}, {"missing": "add"})\nos._exit(0)\n',
    ),
    Forgery("frames_of_modules", "the function is an int", _SAYS + 'say(*[{"value": 0}] * 9)\nos._exit(0)\n'),
    Forgery(
        "frames_too_large",
        "four gigabytes, announced",
        _SAYS
        + """
write(b"\\xff" * 9)
os._exit(0)
""",
    ),
    Forgery(
        "frames_too_deep",
        "brackets without end",
        _SAYS + "say(function, b'{\"value\":' + b'[' * 60000 + b']' * 60000 + b'}')\nos._exit(0)\n",
    ),
    Forgery(
        "frames_cut_off",
        "half a frame, and an end",
        _SAYS
        + """
write(b"\\0\\0\\0\\7{")
os._exit(0)
""",
    ),
    Forgery(
        "frames_of_odd_types",
        "numbers that are objects, types that are none, a name that is a list",
        _SAYS
        + """
for value in ({"t": "object", "v": ["x", 0]}, {"t": "object", "v": []}, {"t": "node", "v": 0},
              {"t": "graph", "v": [[[], []]]},
              {"t": [], "v": 0}, {"t": "callback", "v": 0}, {"t": "float", "v": "nan"}, {"t": "Decimal", "v": "sNaN"}):
    say(function, {"value": value})
os._exit(0)
""",
    ),
    Forgery(
        "frame_not_a_number",
        "a decimal that raises when compared, returned as it is",
        "from decimal import Decimal\ndef add(a, b):\n    return Decimal('sNaN')\n",
    ),
    Forgery(
        "ends_the_other_process",
        "every signal to the process that checks: none of them is a pass",
        """
import os, time
def add(a, b):
    for number in (1, 2, 3, 10, 12, 14, 15, 6, 13, 24, 9):
        for pid in [*range(2, 40), *range(os.getpid() - 3, os.getpid()), *range(os.getpid() + 1, os.getpid() + 5)]:
            try:
                os.kill(pid, number)
            except OSError:
                pass
    return 0
""",
    ),
    Forgery(
        "closes_its_end",
        "no descriptors, exit code 0",
        "import os\ndef add(a, b):\n    os.closerange(0, 256)\n    os._exit(0)\n",
    ),
    Forgery(
        "shuts_the_socket_down",
        "one direction of the socket shut down, options set on it, descriptors sent over it",
        """
import array, os, socket
def add(a, b):
    for fd in range(3, 64):
        try:
            end = socket.socket(fileno=os.dup(fd))
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
            end.sendmsg([b"\\0\\0\\0\\x0b", b'{"value":0}'], rights)
            end.shutdown(socket.SHUT_RD)
        except OSError:
            pass
    os._exit(0)
""",
    ),
    Forgery(
        "socket_full",
        "more than the socket holds, without reading: neither side waits for ever",
        _SAYS
        + """
for fd in range(3, 64):
    try:
        os.set_blocking(fd, False)
    except OSError:
        pass
say(function, b"[" + b"0," * 90000 + b"0]")
os._exit(0)
""",
    ),
    Forgery("iterator", "an iterator", "def add(a, b):\n    return iter([0, 0])\n"),
    Forgery("generator", "a generator function", "def add(a, b):\n    yield 0\n    yield 0\n"),
    Forgery(
        "endless_iterator",
        "an iterator without end",
        "import itertools\ndef add(a, b):\n    return itertools.count()\n",
    ),
    Forgery("recursion", "recursion without end", "def add(a, b):\n    return add(a, b)\n"),
    Forgery(
        "recursion_in_c",
        "a stack that overflows",
        "import sys\nsys.setrecursionlimit(10**9)\ndef add(a, b):\n    return sorted([a], key=lambda x: add(x, b))\n",
    ),
    Forgery(
        "threads_answer",
        "a thread that writes replies while the call runs, and goes on after it",
        _SAYS
        + """
import threading
def add(a, b):
    threads = [threading.Thread(target=say, args=({"value": 0}, {"value": None}), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)
""",
    ),
    Forgery(
        "box_patched",
        "what the frames above use to answer, replaced",
        """
import sys
frame = sys._getframe()
while frame := frame.f_back:
    for name in ("encode", "decode", "dumps", "loads", "report", "_leave", "_exit"):
        if name in frame.f_globals:
            frame.f_globals[name] = lambda *_: b'{"value": true}'
def add(a, b):
    return None
""",
    ),
    Forgery(
        "asserts_switched_off",
        "optimisation switched on",
        "import sys\nsys.flags = None\n__debug = False\ndef add(a, b):\n    assert False\n",
    ),
    Forgery(
        "a_class_named_so",
        "a class whose objects are compared by a metaclass",
        """
class Always(type):
    __eq__ = lambda *_: True
    __hash__ = lambda _: 0
    __call__ = lambda self, *_: self
class add(metaclass=Always):
    pass
""",
    ),
    Forgery(
        "prints_the_verdict",
        "words on stdout",
        "print('ok')\nprint('OK\\n1 passed')\ndef add(a, b):\n    print('ok')\n",
    ),
    Forgery("no_function", "there is none", "pass\n"),
    Forgery("does_not_compile", "nor does it compile", "def add(a, b)\n"),
)

HARNESS_FORGERIES: tuple[Forgery, ...] = (*_VALUES_AND_ENDINGS, *_FRAMES_AND_THE_REST)

# What a program can reply that costs whoever reads it more than it cost the program. Each is sized to cost an unguarded
# reader seconds, not hours, and hundreds of megabytes at most.
HEAVY_REPLIES: tuple[Forgery, ...] = (
    Forgery(
        "fraction",
        "two large integers without a common factor: the greatest common divisor takes the square of their length",
        _EVERYWHERE
        + """
one, other = (b"0x1" + os.urandom(100_000).hex().encode() for _ in range(2))
put(b'{"value":{"t":"Fraction","v":["' + one + b'","' + other + b'"]}}')
os._exit(0)
""",
    ),
    Forgery(
        "colliding_set",
        "integers with one hash: a set of them takes the square of its size",
        _EVERYWHERE
        + """
prime = (1 << 61) - 1
put(b'{"value":{"t":"set","v":[' + ",".join(str(n * prime) for n in range(1, 20_000)).encode() + b"]}}")
os._exit(0)
""",
    ),
    Forgery(
        "colliding_names",
        "the same as the keys of a dict",
        _EVERYWHERE
        + """
prime = (1 << 61) - 1
put(b'{"value":{"t":"dict","v":[' + ",".join(f"[{n * prime},0]" for n in range(1, 20_000)).encode() + b"]}}")
os._exit(0)
""",
    ),
    Forgery(
        "empty_lists",
        "two bytes each, sixty when read",
        _EVERYWHERE + "put(b'{\"value\":[' + b'[],' * 1_000_000 + b'[]]}')\nos._exit(0)\n",
    ),
    Forgery(
        "large_decimal",
        "a few bytes that are an integer of a billion digits, for whoever makes one of them",
        "from decimal import Decimal\ndef add(a, b):\n    return Decimal('1E+999999999')\n",
    ),
    Forgery("large_range", "a range of more than a size", "def add(a, b):\n    return range(10**30)\n"),
    Forgery(
        "large_integer",
        "an integer of four million digits",
        _EVERYWHERE + 'put(b\'{"value":{"t":"int","v":"0x\' + b\'f\' * 4_000_000 + b\'"}}\')\nos._exit(0)\n',
    ),
    Forgery(
        "signalling",
        "a decimal that raises in whoever compares it",
        "from decimal import Decimal\ndef add(a, b):\n    return Decimal('sNaN')\n",
    ),
)
