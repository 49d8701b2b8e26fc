"""Real client libraries in real containers: what makes each trust a company's CA.

One UDF tries all clients, each way in a process of its own: with nothing, with each variable alone,
with activate(), and with activate() after everything was imported and used. A second UDF has the
lines of `exatrust snippet`. Whatever the way, a server of an unknown CA must be refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from exatrust import cli
from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.updates import build_container
from exatrust_udf.clients import CLIENTS, LIBCURL, LIBPQ, VARIABLES

from ..contract.running import connect
from . import calls, packages, servers

ALIASES = {"3.10": ("PYTHON3", ""), "3.12": ("PYTHON312", "_PYTHON312")}
PLAIN = tuple(name for name in calls.CALLS if name in {client.name for client in CLIENTS})
# What an analyst has to write for pycurl, which reads nothing by itself.
HELPED = "pycurl, CAINFO"
Outcomes = dict[tuple[str, str], str | None]  # by client and CA: None, or the error

TRIALS = """\
{options}
{calls}
{prepare}
VARIABLES = {variables!r}

def run(ctx):
    ports = json.loads(ctx.ports)
    for way, prepare, late in ways(json.loads(ctx.ways)):
        known = dict(company=ports["company"]) if way in VARIABLES else ports
        for client, authority, error in call_all(known, prepare, late):
            ctx.emit(way, client, authority, error)
"""
# What reads nothing when it is imported is imported once; aiohttp and grpcio are left to each way.
BY_HAND = """\
import boto3, httpx, ldap3, psycopg, pycurl, pyexasol, requests, urllib3, websocket
exatrust_udf = exa.import_script("EXATRUST.EXATRUST_UDF{suffix}")
BUNDLE = exatrust_udf.bundle_path()

def ways(wanted):
    for way in wanted:
        if way == "nothing":
            yield way, None, None
        elif way == "activate":
            yield way, exatrust_udf.activate, None
        elif way == "late":
            yield way, None, exatrust_udf.activate
        else:
            yield way, lambda: os.environ.update({{way: BUNDLE}}), None
"""
BY_LINES = """\
def ways(wanted):
    yield "%env", None, None
"""


@dataclass(frozen=True)
class Lab:
    """A cluster whose containers have the clients, and servers of two CAs that no container knows;
    the release has one of them."""

    sandbox: Sandbox
    ports: dict[str, dict[str, int]]

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with closing(connect(self.sandbox)) as database:
            if sql.startswith("SELECT"):
                return database.rows(sql)
            database.transaction(lambda: database.execute(sql))
            return []


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    found = {version: packages.installed(version) for version in ALIASES}
    with Sandbox(tmp_path_factory.mktemp("clients"), nodes=1, replication_delay=0.05) as sandbox:
        for version, (alias, _) in ALIASES.items():
            container = sandbox.layout.aliases()[alias].everywhere
            packages.put_into(build_container(sandbox.layout, container), found[version])
        install(sandbox)
        stranger = trustme.CA(organization_name="Stranger")
        with (
            servers.serving(sandbox, sandbox.authorities.issuing, found["3.12"]) as company,
            servers.serving(sandbox, stranger, found["3.12"]) as unknown,
        ):
            yield Lab(sandbox, {"company": company, "unknown": unknown})


def install(sandbox: Sandbox) -> None:
    root = sandbox.layout.pki / "company-root.pem"
    flags = ("--config", str(sandbox.layout.settings_file), "--aliases", "PYTHON3,PYTHON312")
    trust = ("--ca", str(root), "--confirm", sandbox.company_fingerprint())
    assert cli.main(("install", *flags, *trust)) == 0


@pytest.fixture(params=list(ALIASES))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def trial(lab: Lab, version: str) -> Callable[..., dict[str, Outcomes]]:
    """Runs a UDF that tries the ways given; what came of each."""
    alias, suffix = ALIASES[version]
    source = (
        Path(calls.__file__).read_text().replace("{{password}}", lab.sandbox.layout.password("sys"))
    )

    def run(prepare: str, ways: tuple[str, ...], options: str = "") -> dict[str, Outcomes]:
        body = TRIALS.format(
            options=options, calls=source, prepare=prepare.format(suffix=suffix),
            variables=VARIABLES,
        )  # fmt: skip
        lab.rows("CREATE SCHEMA IF NOT EXISTS ANALYSTS")
        lab.rows(
            f"CREATE OR REPLACE {alias} SET SCRIPT ANALYSTS.TRY"
            '("ports" VARCHAR(2000), "ways" VARCHAR(2000)) EMITS (WAY VARCHAR(99), '
            f"CLIENT VARCHAR(99), AUTHORITY VARCHAR(99), FAULT VARCHAR(2000)) AS\n{body}"
        )
        ports, asked = json.dumps(lab.ports), json.dumps(ways)
        found: dict[str, Outcomes] = {}
        for way, client, authority, error in lab.rows(f"SELECT ANALYSTS.TRY('{ports}', '{asked}')"):
            found.setdefault(str(way), {})[str(client), str(authority)] = error  # type: ignore[assignment]
        return found

    return run


def of_company(outcomes: Outcomes) -> set[str]:
    """The clients that reached the company's server."""
    return {name for (name, ca), error in outcomes.items() if ca == "company" and error is None}


def check_refusals(outcomes: Outcomes) -> None:
    """Whoever did not get through says that it is about a certificate, and an unknown CA is."""
    for (client, authority), error in outcomes.items():
        assert error is not None or authority == "company", f"{client} trusts an unknown CA"
        assert error is None or "certificate" in error.lower(), f"{client}: {error}"


def test_the_clients_that_are_tried_are_those_of_the_table() -> None:
    assert set(PLAIN) == {client.name for client in CLIENTS}
    assert set(calls.CALLS) == {*PLAIN, HELPED}


def test_each_client_trusts_the_company_by_activate_and_by_env_lines_and_not_without(
    lab: Lab, version: str, trial: Callable[..., dict[str, Outcomes]],
    capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    config = ("--config", str(lab.sandbox.layout.settings_file))
    capsys.readouterr()
    assert cli.main(("snippet", "python", *config)) == 0
    lines = capsys.readouterr().out
    found = trial(BY_HAND, ("nothing", "activate", "late", *VARIABLES))
    found |= trial(BY_LINES, (), lines)
    record_property("counted", matrix(version, found))
    for outcomes in found.values():
        check_refusals(outcomes)
    there = {name for name, _ in found["nothing"]}
    able = {c.name for c in CLIENTS if c.variables} & there | {HELPED}
    assert of_company(found["nothing"]) == set()
    assert of_company(found["activate"]) == able
    assert of_company(found["%env"]) == able
    assert able - of_company(found["late"]) == too_late(version)
    for variable in VARIABLES:
        reached = {c.name for c in CLIENTS if variable in c.variables} & there
        helped = {HELPED} if variable == "CURL_CA_BUNDLE" else set()
        assert of_company(found[variable]) == reached | helped, variable
    if servers.absent():
        pytest.skip(f"not all clients were tried: {servers.absent()}")


def too_late(version: str) -> set[str]:
    """Those that keep what they read before: activate() and status() say so."""
    return {"grpcio", "urllib"} if version >= "3.12" else {"grpcio"}


def matrix(version: str, found: dict[str, Outcomes]) -> str:
    """What the terminal shows: clients by ways; the unknown CA in the last column."""
    ways = ("activate", "%env", "late", "nothing")
    head = f"{'clients on Python ' + version:<26}" + "".join(f"{way:<10}" for way in ways)
    lines = [f"{head}unknown CA   variables that reach it alone"]
    for client in calls.CALLS:
        if (client, "company") not in found["nothing"]:
            lines.append(f"{client:<26}not tried: {servers.absent()}")
            continue
        cells = [_word(found[way][client, "company"]) for way in ways]
        unknown = {_word(found[way][client, "unknown"]) for way in ways}
        alone = [v for v in VARIABLES if found[v][client, "company"] is None]
        row = "".join(f"{cell:<10}" for cell in cells) + f"{'/'.join(sorted(unknown)):<13}"
        lines.append(f"{client:<26}{row}{', '.join(alone) or 'none'}")
    return "\n".join(lines)


def _word(error: str | None) -> str:
    return "trusted" if error is None else "refused"


def test_status_tells_what_the_real_clients_were_seen_to_use(lab: Lab, version: str) -> None:
    """Beside the matrix: versions as installed, and stores that are there."""
    script = f"EXATRUST.EXATRUST_UDF{ALIASES[version][1]}"
    columns = "CLIENT, VERSION, DECIDED_BY, STORE, CERTIFICATES, IS_RELEASE"
    answers = (
        lab.rows(f"SELECT {columns} FROM (SELECT {script}({flag}))") for flag in ("FALSE", "TRUE")
    )
    before, after = ({str(client): rest for client, *rest in rows} for rows in answers)
    wanted = dict(
        line.replace("[binary]", "").split("==")
        for line in packages.REQUIREMENTS.read_text().splitlines()
        if "==" in line
    )
    for client in CLIENTS:
        if client.distribution:
            assert after[client.name][0] == wanted[client.distribution]
        decided_by, store, count, is_release = before[client.name][1:]
        assert decided_by == client.otherwise
        assert is_release is not True
        assert (store is None) == (client.otherwise in (LIBCURL, LIBPQ))
        assert store is None or int(str(count)) > 50
        if client.variables:
            assert after[client.name][1] == client.variables[0]
            assert after[client.name][4] is True
