"""Runs the text of a database script as the database would: bare globals, doubles of ctx and exa.

Standard library alone, since it runs under interpreters which have nothing else. As a program it
reads a JSON request from standard input and writes the emitted rows, or the error, as JSON.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import io
import json
import re
import sys
import types
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "sql" / "scripts"
PACKAGE = ROOT / "udfs" / "exatrust_udf"

# What the database's wrapper leaves in the globals of a script.
_LEAKED = {"sys": sys, "datetime": dt, "decimal": decimal, "types": types}
_TYPES = {
    "DECIMAL": (int, decimal.Decimal),
    "VARCHAR": (str,),
    "BOOLEAN": (bool,),
    "TIMESTAMP": (dt.datetime,),
    "DOUBLE": (float,),
}


def render(script: str, pin: Mapping[str, str]) -> str:
    """Return the CREATE SCRIPT text of `script` with its placeholders filled in one pass."""
    source = "scripts/probe_node.py" if script == "probe_node" else "stub.py"
    values = {
        "alias": pin["alias"],
        "schema": '"EXATRUST"',
        "script": f'"{script.upper()}"',
        "pin": repr(dict(pin)),
        "body": (PACKAGE / source).read_text(encoding="utf-8"),
        "imported": (PACKAGE / "imported.py").read_text(encoding="utf-8"),
    }
    text = (SQL / f"{script}.sql").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match.group(1)], text)


def body_of(statement: str) -> str:
    """Return the script's body: what follows the AS that ends the declaration."""
    return statement.partition("\n) AS\n")[2]


def columns(statement: str, part: str) -> list[tuple[str, str]]:
    """Return (name, type) of the input (`SCRIPT`) or output (`EMITS`) columns."""
    declared = statement.partition(") AS\n")[0]
    start = declared.index(part)
    block = re.search(r"\(\n(.*?)\n(?=\)|$)", declared[start:], re.S)
    assert block is not None
    lines = [line.strip().rstrip(",") for line in block.group(1).splitlines()]
    return [(name.strip('"'), kind) for name, _, kind in (line.partition(" ") for line in lines)]


class Context:
    """The ctx of a SET script: `rows` are the input rows of one group."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[object]], out: Output) -> None:
        self._names, self._rows, self._at, self._out = names, rows, 0, out

    def __getitem__(self, key: int | str) -> object:
        index = key if isinstance(key, int) else self._names.index(key)
        return self._rows[self._at][index]

    def __getattr__(self, name: str) -> object:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(name)
        return self[name]

    def next(self) -> bool:
        self._at += 1
        return self._at < len(self._rows)

    def emit(self, *values: object) -> None:
        self._out.add(values)


class Output:
    """Takes emitted rows and insists on exact types and lengths, as the database does."""

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        self.declared = declared
        self.rows: list[dict[str, object]] = []

    def add(self, values: Sequence[object]) -> None:
        if len(values) != len(self.declared):
            raise RuntimeError(f"{len(values)} values for {len(self.declared)} columns")
        for value, (name, kind) in zip(values, self.declared, strict=True):
            self._check(name, kind, value)
        self.rows.append(
            {name: value for value, (name, _) in zip(values, self.declared, strict=True)}
        )

    def _check(self, name: str, kind: str, value: object) -> None:
        if value is None:
            return
        if type(value) not in _TYPES[kind.partition("(")[0]]:
            raise RuntimeError(f"E-UDF-CL-SL-PYTHON-1098: {name} is {type(value).__name__}")
        if isinstance(value, str):
            value.encode("utf-8")
            if len(value) > (length_of(kind) or 0) or "\0" in value:
                raise RuntimeError(f"{name}: text does not fit into {kind}")
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            raise RuntimeError(f"{name}: a time with a zone")


def length_of(kind: str) -> int | None:
    return int(kind[8:-1]) if kind.startswith("VARCHAR(") else None


class Machine:
    """One virtual machine of a node: the script's text is compiled once, groups run in it."""

    def __init__(self, statement: str, node_id: int = 0, node_count: int = 1) -> None:
        variadic = " (...)\n" in statement.partition("EMITS")[0]
        self.inputs = ["1", "2", "3"] if variadic else [n for n, _ in columns(statement, "SCRIPT")]
        self.out = Output(columns(statement, "EMITS"))
        self.meta = types.SimpleNamespace(
            node_id=node_id,
            node_count=node_count,
            session_id="1779000000000000001",
            statement_id=7,
            database_version="8.34.0",
            input_column_count=len(self.inputs),
            output_columns=[
                types.SimpleNamespace(name=name, sql_type=kind, length=length_of(kind))
                for name, kind in self.out.declared
            ],
        )
        exa = types.SimpleNamespace(meta=self.meta)
        self.globals = {"__name__": "builtins", "exa": exa, **_LEAKED}
        exec(compile(body_of(statement), "<SCRIPT>", "exec"), self.globals)

    def run(self, *rows: Sequence[object]) -> list[dict[str, object]]:
        """Run one group and return the rows it emitted."""
        before = len(self.out.rows)
        self.globals["run"](Context(self.inputs, rows, self.out))
        return self.out.rows[before:]


def archive(extra: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return the package as a zip whose bytes depend on the sources only."""
    files = {
        str(path.relative_to(PACKAGE.parent)): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as zipped:
        for name, text in sorted({**files, **dict(extra)}.items()):
            zipped.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def release(
    directory: Path, script: str, bundle: bytes, origins: Mapping[str, str]
) -> dict[str, str]:
    """Write a release into `directory` and return the pin of `script`."""
    manifest = {"certificates": [{"sha256": k, "origin": v} for k, v in origins.items()]}
    contents = {
        "pyz": ("exatrust_udf-0123456789ab.pyz", archive()),
        "bundle": ("ca-bundle-0123456789ab.pem", bundle),
        "manifest": ("manifest.json", json.dumps(manifest).encode()),
    }
    pin = {
        "alias": "PYTHON3",
        "release": "0.1.0-test",
        "directory": str(directory),
        "script": script,
    }
    directory.mkdir(parents=True, exist_ok=True)
    for key, (name, content) in contents.items():
        (directory / name).write_bytes(content)
        pin[key] = name
        pin[f"{key}_sha256"] = hashlib.sha256(content).hexdigest()
    return pin


def main() -> None:
    """Answer one request: {"statement", "groups"} gives {"rows"} or {"error"}."""
    request = json.load(sys.stdin)
    try:
        machine = Machine(request["statement"], node_id=request.get("node_id", 0))
        rows = [row for group in request["groups"] for row in machine.run(*group)]
        answer: dict[str, object] = {"rows": rows}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    answer["python"] = ".".join(map(str, sys.version_info[:2]))
    json.dump(answer, sys.stdout, default=str)


if __name__ == "__main__":
    main()
