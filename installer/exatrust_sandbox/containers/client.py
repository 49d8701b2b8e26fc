"""The program inside a language container: runs a UDF's text as Exasol's client does.

Standard library only, Python 3.10 to 3.13, started with -S (no site). It reads frames from one
pipe, answers to its questions from a second, and writes to a third; the script's own stdin, stdout
and stderr are something else, so that a print() cannot disturb the protocol. Frames are a
big-endian length and a marshal (towards this process) or JSON (from it, since a script is not
trusted) value; JSON strings are written by hand because the json module is slow to load.
"""

from __future__ import annotations

import datetime
import decimal
import marshal
import os
import sys
import types
from _json import encode_basestring_ascii as quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

    Column = dict[str, Any]

BATCH = 1000
# What stands before an error, by the phase of the script's life it happened in.
COMPILING = "F-UDF-CL-LIB-1125: F-UDF-CL-SL-PYTHON-1000: F-UDF-CL-SL-PYTHON-1005: "
LOADING = (
    "F-UDF-CL-LIB-1125: F-UDF-CL-SL-PYTHON-1000: F-UDF-CL-SL-PYTHON-1017: "
    "F-UDF-CL-SL-PYTHON-1122: Exception while parsing UDF \n"
)
RUNNING = (
    "F-UDF-CL-LIB-1127: F-UDF-CL-SL-PYTHON-1002: F-UDF-CL-SL-PYTHON-1026: "
    "F-UDF-CL-SL-PYTHON-1114: Exception during run \n"
)
# A "single call", as the client calls that of an adapter (the code of its library is *inferred*).
ADAPTING = "F-UDF-CL-LIB-1126: F-UDF-CL-SL-PYTHON-1004: F-UDF-CL-SL-PYTHON-1036: \n"
NO_TEXT = "F-UDF-CL-LIB-1126: F-UDF-CL-SL-PYTHON-1004: F-UDF-CL-SL-PYTHON-1037: "

GETTING = "F-UDF-CL-SL-PYTHON-1121: get_connection for connection name %s failed: %s"
IMPORTING = "F-UDF-CL-SL-PYTHON-1119: Importing module %s failed: %s"
EXECUTING = "F-UDF-CL-SL-PYTHON-1120: Importing module %s failed \n%s"


class ExaUDFError(Exception):
    """The exception of the real client's library for a script that cannot be imported."""


class Channel:
    """The three pipes to the database."""

    def __init__(self, requests: int, answers: int, replies: int) -> None:
        self._requests = os.fdopen(requests, "rb")
        self._answers = os.fdopen(answers, "rb")
        self._replies = os.fdopen(replies, "wb")

    def receive(self) -> Any:
        return _load(self._requests)

    def ask(self, question: str, name: object) -> Any:
        """Ask the database; raises RuntimeError with its text when it refuses."""
        self.send("ask", "[" + quoted(question) + "," + quoted(str(name)) + "]")
        accepted, value = _load(self._answers)
        if not accepted:
            raise RuntimeError(value)
        return value

    def send(self, kind: str, json: str = "null") -> None:
        payload = ('{"kind":' + quoted(kind) + ',"value":' + json + "}").encode()
        self._replies.write(len(payload).to_bytes(4, "big") + payload)
        self._replies.flush()


def _load(file: IO[bytes]) -> Any:
    header = file.read(4)
    if len(header) < 4:
        sys.exit(0)
    return marshal.loads(file.read(int.from_bytes(header, "big")))


def read_value(column: Column, value: Any) -> Any:
    """A value of an input column as the script sees it."""
    if value is None:
        return None
    kind = column["type_name"]
    if kind == "DECIMAL" and column["scale"]:
        return decimal.Decimal(value)
    if kind == "DATE":
        return datetime.date.fromisoformat(value)
    if kind == "TIMESTAMP":
        return datetime.datetime.fromisoformat(value)
    return value


# Which exact types a column takes; subclasses are refused, as the real client does.
_ACCEPTED = {
    "DECIMAL": (int, decimal.Decimal),
    "DOUBLE": (int, float, decimal.Decimal),
    "VARCHAR": (str,),
    "CHAR": (str,),
    "BOOLEAN": (bool,),
    "DATE": (datetime.date,),
    "TIMESTAMP": (datetime.datetime,),
}
_DATETIME = datetime.datetime


def written_value(column: Column, value: Any) -> str:
    """JSON of an emitted value; raises RuntimeError E-UDF-CL-SL-PYTHON-1098 for a wrong type."""
    if value is None:
        return "null"
    kind = type(value)
    if kind not in _ACCEPTED.get(column["type_name"], (str,)):
        raise RuntimeError(
            "E-UDF-CL-SL-PYTHON-1098: emit column '%s' is of type %s but data given have type %s"
            % (column["name"], column["sql_type"], kind)
        )
    if kind is str:
        return quoted(value.split("\0", 1)[0])
    if kind is bool:
        return '"true"' if value else '"false"'
    if kind is _DATETIME:
        _use_wrapper_name("datetime")
        return quoted(value.isoformat(" "))
    if column["type_name"] == "DATE":
        _use_wrapper_name("datetime")
        return quoted(value.isoformat())
    return quoted(str(value))


_globals: dict[str, Any] = {}


def _use_wrapper_name(attribute: str) -> None:
    """Look a name up as the real wrapper does after the script's body ran.

    Whoever wrote `from datetime import datetime` at top level has replaced it: AttributeError.
    """
    getattr(_globals["datetime"], attribute)


class Context:
    """`ctx` of one group."""

    def __init__(self, call: Call, rows: list[Any], output: Output) -> None:
        self.__state = (call, rows, output)
        self.__row = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_Context__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, key: Any) -> Any:
        call, rows, _ = self.__state
        if self.__row >= len(rows):
            raise RuntimeError("Iteration finished")
        position = call.position(key)
        return read_value(call.inputs[position], rows[self.__row][position])

    def next(self, reset: bool = False) -> bool:
        call, rows, _ = self.__state
        if call.input_type == "SCALAR":
            raise RuntimeError(
                "E-UDF-CL-SL-PYTHON-1107: Function 'next' is not allowed in scalar context"
            )
        if reset:
            return self.reset()
        self.__row += 1
        return self.__row < len(rows)

    def reset(self) -> bool:
        call, rows, _ = self.__state
        if call.input_type == "SCALAR":
            raise RuntimeError("Function 'reset' is not allowed in scalar context")
        self.__row = 0
        return bool(rows)

    def size(self) -> int:
        return len(self.__state[1])

    def emit(self, *values: Any) -> None:
        call, _, output = self.__state
        if call.output_type != "EMITS":
            raise RuntimeError("Function 'emit' is not allowed in a RETURNS script")
        if len(values) != len(call.outputs):
            raise TypeError(
                "emit() takes exactly %d argument%s (%d given)"
                % (len(call.outputs), "s" if len(call.outputs) > 1 else "", len(values))
            )
        output.add(values)

    def get_dataframe(self, num_rows: Any = 1, start_col: int = 0) -> Any:
        __import__("pandas")  # as the real one: ModuleNotFoundError in a container without it
        raise NotImplementedError("the stand-in does not support get_dataframe")


class Output:
    """Emitted rows on their way to the database, in batches."""

    def __init__(self, channel: Channel, columns: list[Column]) -> None:
        self._channel = channel
        self._columns = columns
        self._group = 0
        self._rows: list[str] = []

    def start(self, group: int) -> None:
        self.flush()
        self._group = group

    def add(self, values: tuple[Any, ...]) -> None:
        pairs = zip(self._columns, values, strict=True)
        self._rows.append("[" + ",".join([written_value(c, v) for c, v in pairs]) + "]")
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            rows, self._rows = self._rows, []
            self._channel.send("rows", "[%d,[%s]]" % (self._group, ",".join(rows)))


class Call:
    """What is to be run: the script's text and its signature."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.code = request["code"]
        self.input_type = request["input_type"]
        self.output_type = request["output_type"]
        self.inputs = request["inputs"]
        self.outputs = request["outputs"]
        self.meta = request["meta"]
        self.name = self.meta["script_name"]
        self._positions = {column["name"]: i for i, column in enumerate(self.inputs)}

    def position(self, key: Any) -> int:
        if type(key) is int and 0 <= key < len(self.inputs):
            return key
        try:
            return self._positions[key]
        except KeyError:
            raise RuntimeError("Column with name '%s' does not exist" % (key,)) from None


class Exa:
    """`exa`: meta data, connections, other scripts."""

    def __init__(self, call: Call, channel: Channel) -> None:
        self.meta = types.SimpleNamespace(**call.meta)
        self.meta.input_columns = [_described(column) for column in call.inputs]
        self.meta.output_columns = [_described(column) for column in call.outputs]
        self._channel = channel
        self._modules: dict[str, types.ModuleType] = {}

    def get_connection(self, name: str) -> types.SimpleNamespace:
        try:
            return types.SimpleNamespace(**self._channel.ask("connection", name))
        except RuntimeError as error:
            raise ImportError(GETTING % (name, error)) from None

    def import_script(self, name: str) -> types.ModuleType:
        """As the real one: modules are told apart by their text, know of `exa` alone, and one
        whose text fails stays known, so that a second import gives the half of it."""
        try:
            code = self._channel.ask("script", name)
        except RuntimeError as error:
            raise ImportError(IMPORTING % (name, error)) from None
        if code not in self._modules:
            module = self._modules[code] = types.ModuleType(name)
            module.__file__ = "<%s>" % name
            module.__dict__["exa"] = self
            try:
                exec(compile(code, name, "exec"), module.__dict__)
            except BaseException as error:
                raise ExaUDFError(EXECUTING % (name, _described_error(name, error))) from error
        return self._modules[code]


_PYTHON_TYPES = {
    "DOUBLE": float, "VARCHAR": str, "CHAR": str, "BOOLEAN": bool,
    "DATE": datetime.date, "TIMESTAMP": datetime.datetime,
}  # fmt: skip


def _described(column: Column) -> types.SimpleNamespace:
    kind = _PYTHON_TYPES.get(column["type_name"])
    if kind is None:
        kind = decimal.Decimal if column["scale"] else int
    return types.SimpleNamespace(
        name=column["name"], type=kind, sql_type=column["sql_type"],
        precision=column["precision"], scale=column["scale"], length=column["length"],
    )  # fmt: skip


def _leaked(exa: Exa) -> dict[str, Any]:
    """Names the real wrapper leaves in the script's globals, needed or not."""
    return {
        "exa": exa, "sys": sys, "datetime": datetime, "decimal": decimal,
        "types": types, "os": os,
    }  # fmt: skip


def run(call: Call, channel: Channel) -> None:
    """Run the script over all groups the database sends."""
    global _globals
    exa = Exa(call, channel)
    _globals = {"__builtins__": __builtins__, "__name__": "builtins", **_leaked(exa)}
    _load_script(call)
    output = Output(channel, call.outputs)
    while (batch := channel.receive()) is not None:
        first, groups = batch
        for offset, rows in enumerate(groups):
            output.start(first + offset)
            _run_group(call, rows, output)
    if "cleanup" in _globals:
        _globals["cleanup"]()
    output.flush()


class ScriptFailed(Exception):
    """A failure in one phase of a script's life: the prefix of its text, and the cause."""

    def __init__(self, prefix: str, error: BaseException) -> None:
        super().__init__(prefix)
        self.prefix = prefix
        self.error = error


def _load_script(call: Call) -> None:
    """Compile and execute the script's text; a syntax error shows only now, at the first run."""
    try:
        code = compile(call.code, call.name, "exec")
    except (SyntaxError, ValueError) as error:
        raise ScriptFailed(COMPILING, error) from error
    try:
        exec(code, _globals)
    except BaseException as error:
        raise ScriptFailed(LOADING, error) from error
    wanted = "run" if call.input_type else "adapter_call"
    if wanted not in _globals:
        raise ScriptFailed(LOADING, NameError("function '%s' is not defined" % wanted))


def _run_group(call: Call, rows: list[Any], output: Output) -> None:
    if not call.input_type:
        output.add((_adapted(rows[0][0]),))
        return
    value = _globals["run"](Context(call, rows, output))
    if call.output_type == "RETURNS":
        output.add((value,))


def _adapted(request: str) -> str:
    """The adapter's answer to a request."""
    try:
        value = _globals["adapter_call"](request)
    except BaseException as error:
        raise ScriptFailed(ADAPTING, error) from error
    if not isinstance(value, str):
        # 2 is the number of the adapter's call among the single calls.
        raise ScriptFailed(NO_TEXT, RuntimeError("2 did not return string type (singleCall)"))
    return str(value)


def failure(call: Call, error: BaseException) -> str:
    """The text a user of the database sees: one line a frame of the script, then the error."""
    prefix = RUNNING
    if isinstance(error, ScriptFailed):
        prefix, error = error.prefix, error.error
    return prefix + _described_error(call.name, error)


def _described_error(name: str, error: BaseException) -> str:
    """One line a frame, then the error; `name` is what the text was compiled as."""
    import traceback

    frames = [
        "%s:%s %s" % (frame.filename, frame.lineno, frame.name)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__
    ]
    if isinstance(error, SyntaxError) and error.filename == name:
        frames.append("%s, line %s\n%s" % (name, error.lineno, (error.text or "").rstrip()))
        text = "SyntaxError: %s" % error.msg
    else:
        text = "".join(traceback.format_exception_only(type(error), error)).strip()
    return "\n".join([*frames, text])


def main(arguments: list[str]) -> None:
    """`client.py REQUESTS ANSWERS REPLIES`: three file descriptors."""
    channel = Channel(*map(int, arguments))
    call = Call(channel.receive())
    try:
        run(call, channel)
    except BaseException as error:
        channel.send("error", quoted(failure(call, error)))
        return
    channel.send("done")


if __name__ == "__main__":
    main(sys.argv[1:])
