"""The judge on OpenSSL 1.1.1, which older language containers have: the same as on the system's.

The library comes out of a wheel that carries it, fetched once from the configured package index. It
is called in a process of its own: two libcryptos in one are asking for trouble.
"""

from __future__ import annotations

import base64
import json
import platform
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from tls_lab import (
    HOST,
    Made,
    family,
    make,
    revocation_list,
    rsa_key,
    sha1_signed,
    tampered,
)

from exatrust_udf.causes import kind_of
from exatrust_udf.verdict import Failure

WHEEL = "psycopg2-binary==2.9.3"  # the last version of it whose wheels carry OpenSSL 1.1.1
DOWNLOAD = [
    sys.executable, "-m", "pip", "download", WHEEL, "--no-deps", "--quiet",
    "--disable-pip-version-check", "--retries", "1", "--timeout", "10", "--only-binary", ":all:",
    "--python-version", "3.10", "--platform", "manylinux2014_x86_64",
]  # fmt: skip

JUDGE = """
import base64, ctypes, json, sys, types
from exatrust_udf import libcrypto, openssl
if sys.argv[1:]:
    found = ctypes.CDLL(sys.argv[1])
    found.OpenSSL_version_num.restype = ctypes.c_ulong
    libcrypto.ssl = types.SimpleNamespace(OPENSSL_VERSION_NUMBER=found.OpenSSL_version_num())
    libcrypto._loaded.append(libcrypto._bind(found))
answer = {"version": hex(libcrypto.library().OpenSSL_version_num()), "verdicts": {}}
for name, (chain, anchors, options) in json.load(sys.stdin).items():
    ders = [list(map(base64.b64decode, part)) for part in (chain, anchors, options.pop("crls", []))]
    verdict = openssl.judge(ders[0], ders[1], crls=ders[2], **options)
    answer["verdicts"][name] = [
        [[f.code, f.depth, f.text] for f in verdict.failures],
        [base64.b64encode(der).decode() for der in verdict.chain],
    ]
json.dump(answer, sys.stdout)
"""

ROOT, MIDDLE = family()
LEAF = make("leaf", MIDDLE)
RSA_ROOT = make("RSA Root", ca=True, key=rsa_key(2048))
LOOSE = make("loose", ROOT, ca=True, basic_critical=False)
NO_CA = make("no CA", ROOT, san=("ca.example",))
TIGHT = make("tight", ROOT, ca=True, path_length=0)
LOWER = make("lower", TIGHT, ca=True)
LIMITED = make("limited", ROOT, ca=True, permitted=["permitted.example"])
LATE = make("late", MIDDLE, san=("x.example",), days=(-30, -10))


def weak() -> Made:
    key: rsa.RSAPrivateKey = rsa_key(1024)
    return make("weak", MIDDLE, key=key)


def lists(revoked: list[Made], days: tuple[int, int] = (-1, 9)) -> list[bytes]:
    return [revocation_list(MIDDLE, revoked, days), revocation_list(ROOT, [], (-1, 9))]


# What is judged, and the codes and depths expected of both libraries.
CASES: dict[str, tuple[list[bytes], list[bytes], dict[str, Any], list[tuple[int, int]]]] = {
    "good": ([LEAF.der, MIDDLE.der], [ROOT.der], {}, []),
    "out of order": ([LEAF.der, ROOT.der, MIDDLE.der], [ROOT.der], {}, []),
    "everything": ([LATE.der, MIDDLE.der], [LOOSE.der], {}, [(20, 1), (62, 0), (10, 0)]),
    "no intermediate": ([LEAF.der], [ROOT.der], {}, [(20, 0), (21, 0)]),
    "intermediate as anchor": ([LEAF.der], [MIDDLE.der], {}, [(2, 1)]),
    "partial chain": ([LEAF.der], [MIDDLE.der], {"partial_chain": True}, []),
    "root sent, unknown": ([LEAF.der, MIDDLE.der, ROOT.der], [RSA_ROOT.der], {}, [(19, 2)]),
    "self-signed": ([make("alone").der], [ROOT.der], {}, [(18, 0)]),
    "wrong address": ([LEAF.der, MIDDLE.der], [ROOT.der], {"name": "127.0.0.1"}, [(64, 0)]),
    "not yet valid": ([make("early", MIDDLE, days=(10, 30)).der, MIDDLE.der], [ROOT.der], {},
                      [(9, 0)]),
    "weak key": ([weak().der, MIDDLE.der], [ROOT.der], {}, [(66, 0)]),
    "weak digest": ([sha1_signed(make("sha1", RSA_ROOT), RSA_ROOT).der], [RSA_ROOT.der], {},
                    [(68, 0)]),
    "bad signature": ([tampered(LEAF).der, MIDDLE.der], [ROOT.der], {}, [(7, 0)]),
    "purpose": ([make("client", MIDDLE, purpose=ExtendedKeyUsageOID.CLIENT_AUTH).der, MIDDLE.der],
                [ROOT.der], {}, [(26, 0)]),
    "path length": ([make("leaf", LOWER).der, LOWER.der, TIGHT.der], [ROOT.der], {}, [(25, 2)]),
    "name constraint": ([make("leaf", LIMITED).der, LIMITED.der], [ROOT.der], {}, [(47, 0)]),
    "not revoked": ([LEAF.der, MIDDLE.der], [ROOT.der], {"crls": lists([])}, []),
    "revoked": ([LEAF.der, MIDDLE.der], [ROOT.der], {"crls": lists([LEAF])}, [(23, 0)]),
    "old list": ([LEAF.der, MIDDLE.der], [ROOT.der], {"crls": lists([], (-9, -1))}, [(12, 0)]),
    "no list": ([LEAF.der, MIDDLE.der], [ROOT.der], {"crls": lists([])[1:]}, [(3, 0)]),
    "issuer is no CA": ([make("leaf", NO_CA).der, NO_CA.der], [ROOT.der], {}, [(79, 1), (26, 1)]),
    "strict": ([make("leaf", LOOSE).der, LOOSE.der], [ROOT.der], {"strict": True}, [(89, 1)]),
    "garbage": ([b"garbage"], [ROOT.der], {}, [(1, 0)]),
    "garbage among them": ([LEAF.der, b"garbage", MIDDLE.der], [b"", ROOT.der], {}, []),
}  # fmt: skip


# Where 1.1.1 says something else: "invalid CA certificate" got a number of its own in 3.0, and most
# rules of RFC 5280 came with 3.0, so that strictness means less before.
OLD_CODES = {"issuer is no CA": [(24, 1), (26, 1)], "strict": []}


@pytest.fixture(scope="session")
def old_library(pytestconfig: pytest.Config) -> Path:
    """libcrypto 1.1.1, kept in pytest's cache."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("the wheel with OpenSSL 1.1.1 is for Linux on x86-64")
    cache: pytest.Cache | None = getattr(pytestconfig, "cache", None)
    if cache is None:
        pytest.skip("pytest runs without its cache, where the wheel would be kept")
    directory = cache.mkdir("openssl-1.1.1")
    found = list(directory.glob("libcrypto*.so.1.1"))
    return found[0] if found else fetched(directory)


def fetched(directory: Path) -> Path:
    """The library out of the wheel; skips where the index does not have it."""
    done = subprocess.run(
        [*DOWNLOAD, "--dest", str(directory)], capture_output=True, text=True, timeout=120
    )
    wheels = list(directory.glob("psycopg2_binary-*.whl"))
    if done.returncode or not wheels:
        pytest.skip(f"the package index does not give {WHEEL}: {done.stderr.strip()[-200:]}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        (name,) = [n for n in wheel.namelist() if n.rpartition("/")[2].startswith("libcrypto-")]
        path = directory / name.rpartition("/")[2]
        path.write_bytes(wheel.read(name))
    return path


def judged(*library: str) -> dict[str, Any]:
    """The verdicts of a process with the system's library, or with the one given."""
    request = {
        name: (encoded(chain), encoded(anchors), prepared(options))
        for name, (chain, anchors, options, _) in CASES.items()
    }
    done = subprocess.run(
        [sys.executable, "-c", JUDGE, *library],
        input=json.dumps(request), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def encoded(ders: list[bytes]) -> list[str]:
    return [base64.b64encode(der).decode() for der in ders]


def prepared(options: dict[str, Any]) -> dict[str, Any]:
    return {"name": HOST, **options, "crls": encoded(options.get("crls", []))}


@pytest.fixture(scope="session")
def verdicts(old_library: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    old, new = judged(str(old_library)), judged()
    assert old["version"].startswith("0x10101"), "this is not OpenSSL 1.1.1"
    return old["verdicts"], new["verdicts"]


@pytest.mark.parametrize("case", CASES)
def test_openssl_111_gives_the_same_codes_depths_and_path(
    case: str, verdicts: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    (old, old_path), (new, new_path) = (by_library[case] for by_library in verdicts)
    assert [(code, depth) for code, depth, _ in new] == CASES[case][3]
    assert [(code, depth) for code, depth, _ in old] == OLD_CODES.get(case, CASES[case][3])
    assert old_path == new_path


def test_a_number_that_changed_leads_to_the_same_finding(
    verdicts: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    with_texts = [by_library["issuer is no CA"][0][0] for by_library in verdicts]
    assert {kind_of(Failure(*failure)) for failure in with_texts} == {"ISSUER_IS_NOT_A_CA"}
