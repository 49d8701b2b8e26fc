"""What `exatrust discover` watches, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace

from exatrust.discover import (
    NO_PORT,
    NO_TLS,
    PINNED,
    PLAINTEXT,
    Outbound,
    Watch,
    left_out,
    table_row,
    unwatched,
)

API = Outbound(
    "SCRIPT", "APP.F", 4, "https", "api.example", 443, None, True, False, False, None, None, None
)
PG = replace(
    API, found_in="CONNECTION", object_name="PG", line=1, scheme="jdbc:postgresql", port=5432,
    host="2001:db8::1", options="protocol=postgres", is_encrypted=None,
)  # fmt: skip
PLAIN = replace(API, scheme="http", port=80, is_encrypted=False, is_watched=None)
NAMELESS = replace(API, scheme="mongodb+srv", port=None, is_watched=None)


def test_each_host_and_port_is_watched_once_with_every_place_it_was_found_in() -> None:
    again = replace(API, object_name="APP.G", line=9)
    assert unwatched([API, PG, again, PLAIN, NAMELESS]) == (
        Watch("api.example", 443, None,
              "found by exatrust discover in SCRIPT APP.F line 4, SCRIPT APP.G line 9"),
        Watch("2001:db8::1", 5432, "protocol=postgres",
              "found by exatrust discover in CONNECTION PG"),
    )  # fmt: skip


def test_what_is_watched_already_is_not_watched_again() -> None:
    assert unwatched([replace(API, is_watched=True)]) == ()


def test_a_note_fits_into_its_column() -> None:
    (watch,) = unwatched([replace(API, object_name=f"APP.F{n}") for n in range(500)])
    assert len(watch.note) == 2000
    assert watch.note.endswith("…")


def test_what_is_left_out_is_said_with_the_reason() -> None:
    assert left_out([API, PLAIN, NAMELESS]) == {"api.example:80": NO_TLS, "api.example": NO_PORT}


def test_what_is_used_without_tls_is_left_out_unless_somebody_else_uses_it_with_tls() -> None:
    declared = replace(PG, is_encrypted=False)
    assert unwatched([declared]) == ()
    assert left_out([declared]) == {str(PG): PLAINTEXT}
    assert [item.host for item in unwatched([declared, PG])] == [PG.host]
    assert left_out([declared, PG]) == {}


def test_what_a_fingerprint_pins_is_left_out_with_the_reason() -> None:
    pinned = replace(API, is_pinned=True, is_watched=None)
    assert (unwatched([pinned]), left_out([pinned])) == ((), {"api.example:443": PINNED})
    assert left_out([pinned, replace(API, is_watched=True)]) == {}


def test_a_row_for_a_reader_says_what_is_not_known() -> None:
    assert table_row(PG) == (
        "[2001:db8::1]:5432", "jdbc:postgresql", "?", False, None, None, "CONNECTION PG",
    )  # fmt: skip
