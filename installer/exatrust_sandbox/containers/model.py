"""What the database hands to a UDF's virtual machine, and what it gets back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Row = tuple[Any, ...]


class ScriptError(Exception):
    """A script failed; the message is the text a user of the database sees."""


@dataclass(frozen=True)
class Column:
    """A column of a script's input or output.

    `sql_type` is the declared type ("VARCHAR(100) UTF8"), `type_name` its family without
    size ("DECIMAL", "DOUBLE", "VARCHAR", "CHAR", "BOOLEAN", "DATE", "TIMESTAMP").
    """

    name: str
    sql_type: str
    type_name: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None


@dataclass(frozen=True)
class ScriptCall:
    """One call of a script within a statement.

    `code` is the body without `%env` lines, which the database consumes and hands over as
    `env`. `meta` holds the attributes of `exa.meta` except `node_id` and `vm_id`.
    An adapter script has neither an input nor an output type: it gets one text and returns one.
    `get_connection` and `import_script` raise ScriptError when a name is unknown or forbidden.
    """

    code: str
    env: Mapping[str, str]
    input_type: Literal["SCALAR", "SET"] | None
    output_type: Literal["RETURNS", "EMITS"] | None
    input_columns: tuple[Column, ...]
    output_columns: tuple[Column, ...]
    meta: Mapping[str, object]
    get_connection: Callable[[str], Mapping[str, str]]
    import_script: Callable[[str], str]


@dataclass(frozen=True)
class Node:
    """A database node: its number from 0 and the BucketFS content it sees."""

    id: int
    buckets: Path
