"""`exatrust discover`: the endpoints that OUTBOUND_ENDPOINT finds, and watching them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exatrust.database import Database
from exatrust.statements import Statements, literal
from exatrust_udf.endpoint import joined

NO_TLS = "it has no TLS"
NO_PORT = "its port is not known"
PLAINTEXT = "it is used without TLS, although the server may offer it: see ENDPOINT_PLAINTEXT"
PINNED = "a fingerprint names its certificate, so that no CA and no truststore matters to it"
COLUMNS = ("ENDPOINT", "SCHEME", "ENCRYPTED", "WATCHED", "TRUSTED", "FINDING", "FOUND IN")
_ENCRYPTED = {True: "yes", False: "no", None: "?"}
_NOTE_LENGTH = 2000


@dataclass(frozen=True)
class Outbound:
    """One row of OUTBOUND_ENDPOINT, fields in the order of sql/queries/outbound_endpoints.sql.

    None is said there, column by column. Times are naive UTC.
    """

    found_in: str
    object_name: str
    line: int
    scheme: str | None
    host: str
    port: int | None
    options: str | None
    is_encrypted: bool | None
    is_pinned: bool
    is_watched: bool | None
    last_checked_at: dt.datetime | None
    last_trusted: bool | None
    last_finding: str | None

    def __str__(self) -> str:
        return self.host if self.port is None else joined(self.host, self.port)

    @property
    def place(self) -> str:
        """Where it was found, for a reader."""
        line = f" line {self.line}" if self.found_in in ("SCRIPT", "VIEW") else ""
        return f"{self.found_in} {self.object_name}{line}"


@dataclass(frozen=True)
class Watch:
    """A row for the table ENDPOINT."""

    host: str
    port: int
    options: str | None
    note: str

    def __str__(self) -> str:
        return joined(self.host, self.port)


def read(database: Database, statements: Statements) -> tuple[Outbound, ...]:
    """Raises SqlFailed, among others where SELECT ANY DICTIONARY is missing."""
    rows = database.rows(statements.query("outbound_endpoints"))
    return tuple(Outbound(*row) for row in rows)


def table_row(item: Outbound) -> tuple[object, ...]:
    """The cells of COLUMNS."""
    return (
        str(item), item.scheme, _ENCRYPTED[item.is_encrypted], item.is_watched, item.last_trusted,
        item.last_finding, item.place,
    )  # fmt: skip


def unwatched(found: Sequence[Outbound]) -> tuple[Watch, ...]:
    """What can be watched and is not yet, each host and port once, with every place it is in."""
    places: dict[tuple[str, int], list[Outbound]] = defaultdict(list)
    for item in found:
        if item.is_watched is False and item.is_encrypted is not False and item.port is not None:
            places[item.host, item.port].append(item)
    return tuple(
        Watch(host, port, items[0].options, _note(items)) for (host, port), items in places.items()
    )


def _note(items: Sequence[Outbound]) -> str:
    text = "found by exatrust discover in " + ", ".join(dict.fromkeys(x.place for x in items))
    text = text.replace("\0", "?")
    return text if len(text) <= _NOTE_LENGTH else text[: _NOTE_LENGTH - 1] + "…"


def left_out(found: Sequence[Outbound]) -> Mapping[str, str]:
    """Endpoints that are not to be watched, and why.

    A verdict on a server by its CA would be a false alarm where a client does not ask for one.
    """
    to_watch = {str(item) for item in found if item.is_watched} | set(map(str, unwatched(found)))
    reasons = {str(item): _reason(item) for item in found}
    return {name: reason for name, reason in reasons.items() if name not in to_watch}


def _reason(item: Outbound) -> str:
    if item.port is None:
        return NO_PORT
    if item.is_pinned:
        return PINNED
    return PLAINTEXT if item.is_watched is False else NO_TLS


def watch(database: Database, statements: Statements) -> tuple[tuple[Outbound, ...], int]:
    """Insert what is not watched yet into ENDPOINT: what there is then, and how many are new.

    Found and inserted in one transaction, so that two who do it at a time insert it once.
    """

    def work() -> tuple[tuple[Outbound, ...], int]:
        missing = unwatched(read(database, statements))
        for item in missing:
            database.execute(_insert(statements, item))
        return read(database, statements), len(missing)

    return database.transaction(work)


def _insert(statements: Statements, item: Watch) -> str:
    return statements.query(
        "watch_endpoint",
        host=literal(item.host),
        port=str(item.port),
        options="NULL" if item.options is None else literal(item.options),
        note=literal(item.note),
    )
