"""Long statements: heartbeats, aborts, time limits, lost connections, a server that stops."""

from __future__ import annotations

import threading
import time

import pyexasol
import pytest

from exatrust_sandbox.database.interruption import Ending, Interruption
from exatrust_sandbox.database.model import SqlError


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def server(start):
    return start(heartbeat=0.2)


@pytest.fixture(params=[False, True], ids=["plain", "compressed"])
def connection(request, connect):
    return connect(compression=request.param, socket_timeout=1)


def abort_when_waiting(engine, connection):
    def abort():
        assert engine.waiting.wait(10)
        connection.abort_query()

    thread = threading.Thread(target=abort)
    thread.start()
    return thread


def test_heartbeats_keep_the_client_waiting_beyond_its_socket_timeout(connection):
    started = time.monotonic()
    assert connection.execute("WAIT 2.5").rowcount() == 0
    assert time.monotonic() - started >= 2.5


def test_without_heartbeats_the_client_would_have_given_up(start, connect, certificate):
    server = start(heartbeat=60.0)
    dsn = f"127.0.0.1/{certificate.fingerprint}:{server.port}"
    with pytest.raises(pyexasol.ExaCommunicationError, match="timed out"):
        connect(dsn=dsn, socket_timeout=1).execute("WAIT 2.5")


def test_the_feedback_interval_is_an_attribute_of_the_session(start, connect, certificate):
    server = start(heartbeat=60.0)
    dsn = f"127.0.0.1/{certificate.fingerprint}:{server.port}"
    connection = connect(dsn=dsn, socket_timeout=1)
    connection.set_attr({"feedbackInterval": 0.3})
    assert connection.execute("WAIT 2").rowcount() == 0


def test_abort_query_ends_the_running_statement_and_nothing_else(connection, engine):
    thread = abort_when_waiting(engine, connection)
    with pytest.raises(pyexasol.ExaQueryAbortError) as caught:
        connection.execute("WAIT 30")
    thread.join()
    assert caught.value.code == "R0003"
    assert "Client requested execution abort." in caught.value.message
    assert connection.execute("NUMBERS 1").fetchval() == 0


def test_an_abort_without_a_running_statement_does_nothing(connection, engine):
    connection.abort_query()
    assert connection.execute("NUMBERS 1").fetchval() == 0
    assert engine.aborts == 0


def test_an_abort_ends_the_whole_batch(connection, engine):
    thread = abort_when_waiting(engine, connection)
    request = {"command": "executeBatch", "sqlTexts": ["WAIT 30", "NUMBERS 1"]}
    with pytest.raises(pyexasol.ExaRequestError) as caught:
        connection.req(request)
    thread.join()
    assert caught.value.code == "R0003"
    assert engine.statements == ["WAIT 30"]


def test_a_query_timeout_ends_the_statement(connection):
    connection.set_query_timeout(1)
    started = time.monotonic()
    with pytest.raises(pyexasol.ExaQueryTimeoutError) as caught:
        connection.execute("WAIT 30")
    assert caught.value.code == "R0001"
    assert time.monotonic() - started < 5
    connection.set_query_timeout(0)
    assert connection.execute("WAIT 1.2").rowcount() == 0


def test_a_lost_connection_ends_its_statement_and_closes_its_session(server, connect, engine):
    connection = connect()
    connection._ws.send('{"command": "execute", "sqlText": "WAIT 30"}')
    assert engine.waiting.wait(10)
    connection._ws.shutdown()
    wait_until(lambda: engine.closed == [int(connection.session_id())])


def test_a_server_that_stops_ends_statements_and_closes_sessions(server, connect, engine):
    idle, busy = connect(), connect()
    busy._ws.send('{"command": "execute", "sqlText": "WAIT 30"}')
    assert engine.waiting.wait(10)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 5
    assert sorted(engine.closed) == [int(idle.session_id()), int(busy.session_id())]
    for connection in (idle, busy):
        connection._ws.shutdown()
    with pytest.raises(pyexasol.ExaConnectionFailedError, match="refused"):
        connect()


@pytest.fixture
def others():
    """Threads of clusters that run for other tests."""
    return set(threading.enumerate())


def test_no_thread_is_left_after_the_server_has_stopped(others, server, connect):
    connect().close()
    server.stop()
    names = [thread.name for thread in set(threading.enumerate()) - others]
    assert [name for name in names if name.startswith("exatrust-")] == []


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_an_end_between_two_statements_is_not_lost():
    interruption = Interruption(Clock())
    interruption.begin_request()
    assert interruption.run(lambda: 1, lambda: None, 0) == 1
    interruption.end(Ending.ABORTED)
    with pytest.raises(SqlError, match="abort"):
        interruption.run(lambda: 2, lambda: None, 0)


def test_an_end_does_not_reach_the_next_request():
    interruption = Interruption(Clock())
    interruption.begin_request()
    interruption.end(Ending.ABORTED)
    interruption.begin_request()
    assert interruption.run(lambda: 2, lambda: None, 0) == 2


def test_a_lost_connection_ends_all_later_requests():
    interruption = Interruption(Clock())
    interruption.end(Ending.DISCONNECTED)
    interruption.begin_request()
    with pytest.raises(SqlError, match="lost"):
        interruption.run(lambda: 2, lambda: None, 0)


def test_a_statement_that_does_not_stop_is_told_again_each_second():
    clock, told = Clock(), []
    interruption = Interruption(clock)

    def work():
        for clock.now in (1.0, 1.5, 2.0, 2.5, 3.0):
            interruption.check()
        raise SqlError("stopped", "R0003")

    with pytest.raises(SqlError, match="timeout"):
        interruption.run(work, lambda: told.append(clock.now), 1.0)
    assert told == [1.0, 2.0, 3.0]


def test_a_statement_that_succeeds_in_spite_of_its_end_is_a_success():
    interruption = Interruption(Clock())

    def work():
        interruption.end(Ending.ABORTED)
        return "done"

    assert interruption.run(work, lambda: None, 0) == "done"


@pytest.mark.parametrize(
    ("code", "now", "expected"),
    [
        ("R0003", 1.0, "R0001"),
        ("R0003", 0.5, "R0003"),
        ("42000", 1.0, "42000"),
    ],
)
def test_a_time_limit_that_the_engine_notices_first_is_still_a_time_limit(code, now, expected):
    clock = Clock()
    interruption = Interruption(clock)

    def work():
        clock.now = now
        raise SqlError("ended", code)

    with pytest.raises(SqlError) as caught:
        interruption.run(work, lambda: None, 1.0)
    assert caught.value.sql_code == expected
