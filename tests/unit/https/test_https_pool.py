"""The pool of threads: bounded in all and for each host, and no bug gets lost in it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exatrust_udf.https_pool import PER_HOST, Pool


@dataclass(frozen=True)
class Job:
    host: str
    number: int
    size: int = 0


class Counted:
    """Work that notes how much of it is done at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now: Counter[str] = Counter()
        self.most = 0
        self.most_for_a_host = 0

    def __call__(self, job: Job) -> int:
        with self.lock:
            self.now[job.host] += 1
            self.most = max(self.most, self.now.total())
            self.most_for_a_host = max(self.most_for_a_host, self.now[job.host])
        time.sleep(0.0005)
        with self.lock:
            self.now[job.host] -= 1
        return job.number


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from("abcdef"), max_size=80), st.integers(1, 16))
def test_every_job_is_done_once_within_the_bounds(hosts: list[str], size: int) -> None:
    work = Counted()
    pool: Pool[Job, int] = Pool(size, work)
    jobs = [Job(host, number) for number, host in enumerate(hosts)]
    done = []
    while jobs or pool.busy:
        while jobs and pool.has_room:
            pool.add(jobs.pop())
        done.append(pool.next())
    pool.close()
    assert sorted(done) == list(range(len(hosts)))
    assert work.most <= size
    assert work.most_for_a_host <= PER_HOST


def test_no_more_is_read_ahead_than_there_is_room_for() -> None:
    wait = threading.Event()
    pool: Pool[Job, bool] = Pool(1, lambda job: wait.wait(10))
    pool.add(Job("a", 0))
    pool.add(Job("a", 1, size=1 << 24))
    assert not pool.has_room
    wait.set()
    assert pool.next()
    assert pool.has_room
    assert pool.next()
    assert not pool.busy
    pool.close()


def test_what_work_raises_is_raised_where_its_result_is_taken() -> None:
    def fail(job: Job) -> None:
        raise LookupError(job.number)

    pool: Pool[Job, None] = Pool(2, fail)
    pool.add(Job("a", 5))
    with pytest.raises(LookupError, match="5"):
        pool.next()
    pool.close()
