"""Results in answers, and the open result sets of a session.

Fewer than 1000 rows travel in the answer; from 1000 on the client gets a handle and fetches
(Exasol WebSocket API v3, `execute` and `fetch`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exatrust_sandbox.database.encoding import describe_columns, encode_rows, estimated_size
from exatrust_sandbox.database.model import Result, ResultSet, RowCount, SqlError

INLINE_ROWS = 1000
MAX_FETCH_BYTES = 64 * 1024 * 1024


@dataclass
class ResultSets:
    """Open result sets by handle."""

    open: dict[int, ResultSet] = field(default_factory=dict)
    last_handle: int = 0

    def describe(self, result: Result, max_rows: int = 0) -> dict[str, Any]:
        """One entry of `results`; a large result set is kept open. `max_rows` cuts, 0 does not."""
        if isinstance(result, RowCount):
            return {"resultType": "rowCount", "rowCount": result.count}
        if max_rows:
            result = ResultSet(result.columns, result.rows[:max_rows])
        if len(result.rows) < INLINE_ROWS:
            return _result_set(inline(result))
        self.last_handle += 1
        self.open[self.last_handle] = result
        return _result_set(header(result, self.last_handle))

    def get(self, handle: object) -> ResultSet:
        """The open result set; raises SqlError when there is none."""
        found = self.open.get(handle) if isinstance(handle, int) else None
        if found is None:
            raise SqlError(f"result set handle {handle} is not open", "00000")
        return found

    def close(self, handles: list[object]) -> None:
        """Closes result sets, or none of them when one is not open."""
        for handle in handles:
            self.get(handle)
        for handle in handles:
            if isinstance(handle, int):
                self.open.pop(handle, None)


def inline(result: ResultSet) -> dict[str, Any]:
    """A result set that carries its rows."""
    count = len(result.rows)
    described = {**_shape(result), "numRows": count, "numRowsInMessage": count}
    if count:
        described["data"] = encode_rows(result.columns, result.rows)
    return described


def header(result: ResultSet, handle: int) -> dict[str, Any]:
    """A result set whose rows are to be fetched."""
    rows = {"numRows": len(result.rows), "numRowsInMessage": 0}
    return {"resultSetHandle": handle, **_shape(result), **rows}


def chunk(result: ResultSet, start: int, size: int) -> dict[str, Any]:
    """The `responseData` of a fetch: rows from `start` on, about `size` bytes, at least one."""
    if not 0 <= start < len(result.rows):
        raise SqlError(f"start position {start} is outside the result set", "00000")
    end = chunk_end(result, start, min(size, MAX_FETCH_BYTES))
    rows = result.rows[start:end]
    return {"numRows": len(rows), "data": encode_rows(result.columns, rows)}


def chunk_end(result: ResultSet, start: int, size: int) -> int:
    """The first row that no longer belongs to the chunk."""
    total = 0
    for position in range(start, len(result.rows)):
        total += estimated_size(result.rows[position])
        if total > size and position > start:
            return position
    return len(result.rows)


def _shape(result: ResultSet) -> dict[str, Any]:
    columns = describe_columns(result.columns)
    return {"numColumns": len(columns), "columns": columns}


def _result_set(described: dict[str, Any]) -> dict[str, Any]:
    return {"resultType": "resultSet", "resultSet": described}
