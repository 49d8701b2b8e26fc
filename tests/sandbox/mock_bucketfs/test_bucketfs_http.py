"""What a client of the mock BucketFS sees over HTTPS."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests

from .conftest import READ, WRITE, client


def test_the_root_lists_the_buckets(running, http):
    assert http.get(running.url + "/").text == "default\nopen\n"


def test_a_listing_is_flat_with_full_paths_one_a_line(running, http):
    for path in ("b", "a/deep/file.txt", "a/b"):
        assert http.put(f"{running.url}/default/{path}", data=b"x", auth=WRITE).status_code == 200
    for url in ("/default", "/default/"):
        assert http.get(running.url + url, auth=READ).text == "a/b\na/deep/file.txt\nb\n"


def test_a_private_bucket_is_read_with_a_password_only(running, http):
    http.put(running.url + "/default/x", data=b"1", auth=WRITE)
    statuses = [
        http.get(running.url + "/default/x", auth=auth).status_code
        for auth in (None, ("r", "wrong"), READ, WRITE)
    ]
    assert statuses == [401, 403, 200, 200]


def test_a_public_bucket_is_read_by_anyone_and_written_by_w_only(running, http):
    assert http.put(running.url + "/open/x", data=b"1", auth=READ).status_code == 403
    assert http.put(running.url + "/open/x", data=b"1", auth=WRITE).status_code == 200
    assert http.get(running.url + "/open/x").content == b"1"


def test_what_is_not_there_is_404(running, http):
    assert http.get(running.url + "/default/none", auth=READ).status_code == 404
    assert http.get(running.url + "/nobucket", auth=READ).status_code == 404
    assert http.put(running.url + "/nobucket/x", data=b"", auth=WRITE).status_code == 404


def test_chunked_bodies_are_taken(running, http):
    pieces = (b"a" * 1000 for _ in range(100))
    assert http.put(running.url + "/default/big", data=pieces, auth=WRITE).status_code == 200
    assert http.get(running.url + "/default/big", auth=READ).content == b"a" * 100_000


@pytest.mark.parametrize("path", ["../outside", "a/../../outside", "a%00b", "%2e%2e/x"])
def test_a_path_that_would_leave_the_bucket_is_refused(running, http, path):
    request = requests.Request("PUT", running.url, data=b"x", auth=WRITE).prepare()
    request.url = f"{running.url}/default/{path}"
    assert http.send(request).status_code == 400
    assert not list(running.root.parent.glob("outside"))


def test_a_put_soon_after_a_delete_is_refused_and_later_taken(start):
    now = [1000.0]
    running = start(sync_period=30.0, clock=lambda: now[0])
    http, url = client(running), running.url + "/default/x"
    http.put(url, data=b"1", auth=WRITE)
    assert http.delete(url, auth=WRITE).status_code == 200
    assert http.put(url, data=b"2", auth=WRITE).status_code == 403
    now[0] += 30.1
    assert http.put(url, data=b"2", auth=WRITE).status_code == 200


def test_deleting_what_is_not_there_is_no_error(running, http):
    assert http.delete(running.url + "/default/none", auth=WRITE).status_code == 200


def test_an_overwritten_file_is_served_stale_for_a_while(start):
    now = [1000.0]
    running = start(clock=lambda: now[0])
    running.bucketfs.faults.stale_seconds = 5.0
    http, url = client(running), running.url + "/default/x"
    http.put(url, data=b"old", auth=WRITE)
    http.put(url, data=b"new", auth=WRITE)
    assert http.get(url, auth=READ).content == b"old"
    now[0] += 5.1
    assert http.get(url, auth=READ).content == b"new"


def test_ordered_faults_happen_once_each(running, http):
    url, faults = running.url + "/default/x", running.bucketfs.faults
    faults.fail_puts = 2
    assert [http.put(url, data=b"1", auth=WRITE).status_code for _ in range(3)] == [503, 503, 200]
    faults.full_after = 0
    assert http.put(url, data=b"1", auth=WRITE).status_code == 507
    faults.full_after = None
    faults.fail_gets = 1
    assert [http.get(url, auth=READ).status_code for _ in range(2)] == [500, 200]


def test_an_upload_cut_in_the_middle_leaves_the_old_content(running, http):
    url = running.url + "/default/x"
    http.put(url, data=b"old", auth=WRITE)
    running.bucketfs.faults.cut_puts, running.bucketfs.faults.cut_put_after = 1, 1000
    with pytest.raises(requests.ConnectionError):
        http.put(url, data=b"n" * 5_000_000, auth=WRITE)
    assert http.get(url, auth=READ).content == b"old"


def test_a_body_shorter_than_promised_is_no_file(running, http):
    context = ssl.create_default_context(cafile=running.ca_file)
    address = ("localhost", running.bucketfs.https_port)
    head = b"PUT /open/x HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dzp3cml0ZS1zZWNyZXQ="
    with (
        socket.create_connection(address, timeout=10) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tls,
    ):
        tls.sendall(head + b"\r\nContent-Length: 100\r\n\r\nshort")
    assert http.get(running.url + "/open/x").status_code == 404


def test_a_silent_client_does_not_stop_others(running, http):
    address = ("localhost", running.bucketfs.https_port)
    with socket.create_connection(address, timeout=10):
        assert http.get(running.url + "/", timeout=5).status_code == 200
