"""What nodes see of the mock BucketFS, and when."""

from __future__ import annotations

import io
import tarfile
import zipfile

import exasol.bucketfs as bfs
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exatrust_sandbox.mock_bucketfs.model import BucketSpec
from exatrust_sandbox.mock_bucketfs.service import BucketFS

from .conftest import READ, WRITE, client


def test_every_node_sees_a_file_readable_by_other_users(running, http):
    http.put(running.url + "/default/dir/x", data=b"1", auth=WRITE)
    running.bucketfs.wait_idle(10)
    assert [running.seen(node, "dir/x") for node in range(3)] == [b"1"] * 3
    file = running.nodes[0] / "bfsdefault/default/dir/x"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o644, 0o755)


def test_a_file_appears_only_after_the_delay(start):
    now = [1000.0]
    running = start(replication_delay=60.0, clock=lambda: now[0])
    client(running).put(running.url + "/default/x", data=b"1", auth=WRITE)
    with pytest.raises(TimeoutError):
        running.bucketfs.wait_idle(0.3)
    assert running.seen(0, "x") is None
    now[0] += 60.1
    running.bucketfs.wait_idle(10)
    assert running.seen(0, "x") == b"1"


def test_a_held_node_gets_nothing_until_it_is_released(running, http):
    running.held.add(1)
    http.put(running.url + "/default/x", data=b"1", auth=WRITE)
    running.bucketfs.wait_idle(10)
    assert [running.seen(node, "x") for node in range(3)] == [b"1", None, b"1"]
    running.held.clear()
    running.bucketfs.wait_idle(10)
    assert running.seen(1, "x") == b"1"


def test_a_deleted_file_goes_from_the_nodes_with_its_empty_directories(running, http):
    http.put(running.url + "/default/a/b/x", data=b"1", auth=WRITE)
    running.bucketfs.wait_idle(10)
    http.delete(running.url + "/default/a/b/x", auth=WRITE)
    running.bucketfs.wait_idle(10)
    assert not (running.nodes[0] / "bfsdefault/default/a").exists()


def test_replication_goes_on_after_a_restart(start):
    running = start(held={0, 1, 2})
    client(running).put(running.url + "/default/x", data=b"1", auth=WRITE)
    running.bucketfs.stop()
    again = start()
    again.bucketfs.wait_idle(10)
    assert again.seen(2, "x") == b"1"
    assert client(again).get(again.url + "/default", auth=READ).text == "x\n"


def _tar(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "make"), [("a.tar.gz", _tar), ("a.tgz", _tar), ("a.zip", _zip)])
def test_archives_are_unpacked_for_udfs_and_come_back_whole_over_http(running, http, name, make):
    data = make({"in/x": b"1"})
    http.put(f"{running.url}/default/{name}", data=data, auth=WRITE)
    running.bucketfs.wait_idle(10)
    assert running.seen(0, "a/in/x") == b"1"
    assert http.get(f"{running.url}/default/{name}", auth=READ).content == data


@pytest.mark.parametrize(("name", "make"), [("a.tar.gz", _tar), ("a.zip", _zip)])
def test_an_archive_that_would_write_elsewhere_is_not_unpacked(running, http, name, make):
    http.put(f"{running.url}/default/{name}", data=make({"../outside": b"2"}), auth=WRITE)
    running.bucketfs.wait_idle(10)
    assert not list(running.nodes[0].rglob("outside"))


def test_a_broken_archive_harms_nobody(running, http):
    http.put(running.url + "/default/a.zip", data=b"no zip", auth=WRITE)
    http.put(running.url + "/default/x", data=b"1", auth=WRITE)
    running.bucketfs.wait_idle(10)
    assert running.seen(0, "x") == b"1"
    assert http.get(running.url + "/default/a.zip", auth=READ).content == b"no zip"


def test_a_file_beside_an_unpacked_archive_outlives_it(running, http):
    http.put(running.url + "/default/lib/own.txt", data=b"mine", auth=WRITE)
    http.put(running.url + "/default/lib.zip", data=_zip({"x": b"1"}), auth=WRITE)
    http.delete(running.url + "/default/lib.zip", auth=WRITE)
    running.bucketfs.wait_idle(10)
    assert running.seen(0, "lib/own.txt") == b"mine"


def test_a_stopped_service_serves_no_open_connection(running, http):
    assert http.get(running.url + "/").ok
    url = running.url
    running.bucketfs.stop()
    with pytest.raises(requests.ConnectionError):
        http.get(url + "/", timeout=5)


def test_the_public_python_package_works_as_a_client(running):
    service = bfs.Service(
        running.url,
        {"default": {"username": WRITE[0], "password": WRITE[1]}},
        verify=str(running.ca_file),
    )
    bucket = service["default"]
    bucket.upload("path/in/bucket.txt", b"content")
    assert list(bucket.files) == ["path/in/bucket.txt"]
    assert b"".join(bucket.download("path/in/bucket.txt")) == b"content"
    bucket.delete("path/in/bucket.txt")
    assert list(bucket.files) == []


def test_the_public_python_package_s_paths_work_too(running):
    path = bfs.path.build_path(
        backend=bfs.path.StorageBackend.onprem,
        url=running.url,
        bucket_name="default",
        service_name="bfsdefault",
        username=WRITE[0],
        password=WRITE[1],
        verify=str(running.ca_file),
    )
    archive = path / "libs" / "package.tar.gz"
    archive.write(_tar({"x": b"1"}))
    assert archive.exists()
    assert archive.as_udf_path() == "/buckets/bfsdefault/default/libs/package"
    assert b"".join(archive.read()) == _tar_read(archive)
    archive.rm()
    assert not archive.exists()


def _tar_read(path) -> bytes:
    return b"".join(path.read())


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(["a", "b/c", "d"]), st.binary(max_size=8)),
        st.tuples(st.just("delete"), st.sampled_from(["a", "b/c", "d"]), st.just(b"")),
        st.tuples(st.sampled_from(["hold", "release", "restart"]), st.just(""), st.just(b"")),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=_STEPS)
def test_when_idle_and_nothing_is_held_every_node_equals_the_master(steps, tmp_path_factory):
    directory = tmp_path_factory.mktemp("bucketfs")
    nodes = [directory / "node0", directory / "node1"]
    held: set[int] = set()
    spec = BucketSpec("default", "r", "w", public=True)

    def start() -> tuple[BucketFS, str]:
        service = BucketFS(
            directory / "master", nodes, buckets=[spec], sync_period=0.0, replication_delay=0.0,
            unpack_delay=0.0, held=lambda: held,
        )  # fmt: skip
        service.start(0, None)
        return service, f"http://127.0.0.1:{service.http_port}/default"

    (service, url), model = start(), {}
    for step, path, content in steps:
        if step == "put":
            assert requests.put(f"{url}/{path}", data=content, auth=("w", "w")).ok
            model[path] = content
        elif step == "delete":
            assert requests.delete(f"{url}/{path}", auth=("w", "w")).ok
            model.pop(path, None)
        elif step == "restart":
            service.stop()
            service, url = start()
        else:
            held = {1} if step == "hold" else set()
    held = set()
    service.wait_idle(10)
    service.stop()
    for node in nodes:
        tree = node / "bfsdefault" / "default"
        found = {
            str(file.relative_to(tree)): file.read_bytes()
            for file in tree.rglob("*")
            if file.is_file()
        }
        assert found == model
