"""The product's SQL, rendered from sql/*.sql in one substitution pass. Pure.

A template's {{name}} is replaced by a value once; what a value contains is never looked at again.
Scripts and views carry `exatrust:<digest>`, so that a change by hand is seen.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from exatrust.distrust import Distrust, DistrustedRoot
from exatrust.native import COMMENTS, NativeScript, native_scripts
from exatrust.native import body as native_body
from exatrust.plan import ALTERED, FOREIGN, DatabaseObject
from exatrust.release import Release

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_SCRIPT_MARKER = re.compile(r"^(?:#|//) exatrust:([0-9a-f]{64}) ([0-9a-f]{64})\s*\Z", re.MULTILINE)
_SCRIPT_ALIAS = re.compile(r"^    'alias': '(\w+)',$", re.MULTILINE)
_ALLOWED_HOSTS = re.compile(r"^    'allowed_hosts': '(.*)',$", re.MULTILINE)
_VIEW_MARKER = re.compile(r"exatrust:([0-9a-f]{64})")
_BODY_START = "PIN = "
_COLUMN = re.compile(r'^    ("(\w+)" .*?),?$', re.MULTILINE)

# The script that each view shows. PROBE_NODE must speak when BucketFS is empty, so its body is
# complete in itself and its pin names no file.
VIEW_SCRIPTS: dict[str, str] = {
    "node_status": "probe_node",
    "truststores": "list_truststores",
    "truststore_certificates": "list_certificates",
    "endpoint_status": "check_endpoint",
    "endpoint_findings": "diagnose_endpoint",
    "peer_chain": "fetch_chain",
    "coverage": "probe_node",
    "drift": "list_truststores",
}
# Views that the first alias answers for all: what they say is not about a container.
FIRST_ALIAS_VIEWS: dict[str, str] = {
    "outbound_endpoint": "find_endpoints",
    "unverified_tls": "find_unverified",
}
# Views over tables and constants: they run no script.
PLAIN_VIEWS = ("distrusted_root", "anchor_usage", "language_aliases")
# The rows of these are made of other views' rows, of the same alias.
_PARTS: Mapping[str, Mapping[str, str]] = {
    "drift": {"nodes": "node_status", "stores": "truststores"},
    "drift_names": {"certificates": "truststore_certificates"},
}
# The tables of a snapshot and the queries that fill them. Its time is the literal of an install,
# or the nodes' own clock.
_BASELINE = {
    "NODE_SNAPSHOT": "record_nodes",
    "TRUSTSTORE_SNAPSHOT": "record_truststores",
    "TRUSTSTORE_CONTENT": "record_contents",
}
_SNAPSHOT = {**_BASELINE, "ENDPOINT_RESULT": "record_results"}
_NODES_CLOCK = 'MIN("CHECKED_AT") OVER ()'
VIEWS = (*PLAIN_VIEWS, *VIEW_SCRIPTS, *FIRST_ALIAS_VIEWS)
# Scripts that ask only the hosts of the table ALLOWED_HOST, as their pin has it.
ALLOW_LISTED = ("https_get", "https_json", "https_request")
SELF_CONTAINED = "probe_node"


def render(template: str, values: Mapping[str, str]) -> str:
    """Raises KeyError for a placeholder without value."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def identifier(name: str) -> str:
    """`name` quoted, in upper case as unquoted names are; ValueError if it is no plain name."""
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is no plain SQL identifier")
    return f'"{name.upper()}"'


def literal(text: str) -> str:
    """A string literal; ValueError for NUL, at which Exasol would cut."""
    if "\0" in text:
        raise ValueError("a text with a NUL character cannot be stored")
    return "'" + text.replace("'", "''") + "'"


def timestamp(moment: dt.datetime) -> str:
    """A TIMESTAMP literal of an aware time, in UTC, microseconds kept."""
    utc = moment.astimezone(dt.timezone.utc)
    return f"CAST('{utc:%Y-%m-%d %H:%M:%S.%f}' AS TIMESTAMP)"


def language_alias(name: str) -> str:
    """An alias as it stands in CREATE SCRIPT, where it cannot be quoted."""
    return identifier(name).strip('"')


def script_name(stem: str, alias: str, aliases: Sequence[str]) -> str:
    """PROBE_NODE for the first alias, PROBE_NODE_PYTHON312 for another."""
    return stem.upper() if alias == aliases[0] else f"{stem}_{alias}".upper()


def script_digest(text: str) -> str:
    """What a script's creation text says of itself: its digest, ALTERED, or FOREIGN."""
    marker = _SCRIPT_MARKER.search(text)
    if marker is None:
        return ALTERED if re.search(r"(?:#|//) exatrust:", text) else FOREIGN
    body = text[text.find(_BODY_START) : marker.start()]
    return marker[1] if marker[2] == _sha256(body.strip()) else ALTERED


def script_alias(text: str) -> str | None:
    """The language alias that a script of ours is pinned to."""
    pin = _SCRIPT_ALIAS.search(text)
    return pin[1] if pin else None


def pinned_hosts(text: str) -> str | None:
    """The rows of ALLOWED_HOST that a script of ours pins, None for one that pins none."""
    pin = _ALLOWED_HOSTS.search(text)
    return pin[1].replace(r"\n", "\n") if pin else None


def comment_digest(comment: str | None) -> str:
    """The digest in a view's or table's comment, FOREIGN without one."""
    marker = _VIEW_MARKER.search(comment or "")
    return marker[1] if marker else FOREIGN


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Statements:
    """Renders for one schema and list of aliases. `sql` and `udf` give the text of a file.

    `broken` maps further aliases, in which no script runs, to the reason; `native` those that run
    scripts in a language of their own, to that language. `allowed_hosts` is what ALLOW_LISTED
    scripts pin.
    """

    schema: str
    aliases: tuple[str, ...]
    sql: Callable[[str], str]
    udf: Callable[[str], str]
    broken: Mapping[str, str] = field(default_factory=dict)
    native: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: str = ""

    def query(self, name: str, **values: str) -> str:
        """sql/queries/<name>.sql; `schema` is the quoted name, `schema_name` a literal."""
        return self._render(f"queries/{name}.sql", **values)

    def doctor(self, name: str, **values: str) -> str:
        """sql/doctor/<name>.sql: a look, or a trial that is rolled back."""
        return self._render(f"doctor/{name}.sql", **values).strip()

    def roles(self, name: str, **values: str) -> str:
        """sql/roles/<name>.sql."""
        return self._render(f"roles/{name}.sql", **values).strip()

    def create_schema(self) -> str:
        return self._schema_statements()[0]

    def tables(self) -> tuple[DatabaseObject, ...]:
        return tuple(self._table(text) for text in self._schema_statements()[1:])

    def drop(self, kind: str, name: str) -> str:
        return self._render("drop.sql", kind=kind.upper(), name=identifier(name))

    def uninstall(self) -> str:
        return self._render("uninstall.sql").strip()

    def probe(self, alias: str, name: str, version: str) -> str:
        """CREATE SCRIPT of PROBE_NODE under another name, for a look before anything changes."""
        return self._script(SELF_CONTAINED, alias, name, {"alias": alias, "version": version})

    def scripts(
        self, stems: Sequence[str], release: Release, directory: str
    ) -> tuple[DatabaseObject, ...]:
        """Every script for every alias. `directory` is where UDFs see the release."""
        python = (
            self._script_object(stem, alias, release, directory)
            for alias in self.aliases
            for stem in stems
        )
        native = (
            self._native_object(script, release, directory)
            for script in native_scripts(self.native)
        )
        return (*python, *native)

    def trial(self, language: str, alias: str, name: str) -> tuple[str, str]:
        """CREATE SCRIPT of one that does nothing, and its call: does the container run any?"""
        values = {"alias": language_alias(alias), "script": identifier(name)}
        create = self._render(f"trials/{language}.sql", **values)
        return create, self._render("trials/call.sql", **values)

    def views(
        self, release: Release, directory: str, distrust: Distrust
    ) -> tuple[DatabaseObject, ...]:
        """All views, each after those it uses. `directory` is where UDFs see the release."""
        values = {
            "files": literal(files_text(release, directory)),
            "release": literal(release.id),
        }
        return (
            self._plain_view("distrusted_root", roots=self._distrusted(distrust)),
            self._plain_view("anchor_usage"),
            self._plain_view("language_aliases", known=self._known_aliases()),
            *(self._view(name, self.aliases, values) for name in VIEW_SCRIPTS),
            *(self._view(name, self.aliases[:1], values) for name in FIRST_ALIAS_VIEWS),
        )

    def rows(self, view: str, alias: str, script: str | None = None, **values: str) -> str:
        """The SELECT that stands for one alias in a view: one row set a node."""
        stem = (VIEW_SCRIPTS | FIRST_ALIAS_VIEWS).get(view, SELF_CONTAINED)
        parts = {
            key: self.rows(part, alias, **values) for key, part in _PARTS.get(view, {}).items()
        }
        return self._render(
            f"rows/{view}.sql",
            script=identifier(script or script_name(stem, alias, self.aliases)),
            groups=self.sql("rows/groups.sql").strip(),
            texts=self._render("rows/outbound_text.sql").strip(),
            paths=self._render("rows/extra_paths.sql").strip(),
            alias=literal(alias),
            definition=self._definition(literal(alias)),
            **values,
            **parts,
        ).strip()

    def snapshot(self, now: dt.datetime | None = None, *, baseline: bool = False) -> dict[str, str]:
        """The tables of a snapshot, and the statements that fill them in one transaction.

        Without `now` each table has the time of its own look. The baseline of an install has no
        verdicts on endpoints: an install must not wait for them.
        """
        values = {
            "now": timestamp(now) if now else _NODES_CLOCK,
            "baseline": "TRUE" if baseline else "FALSE",
            "definition": self._definition('"LANGUAGE_ALIAS"'),
        }
        queries = _BASELINE if baseline else _SNAPSHOT
        return {table: self.query(name, **values).strip() for table, name in queries.items()}

    def _definition(self, alias: str) -> str:
        return render(self.sql("rows/definition.sql"), {"alias": alias}).strip()

    def _render(self, path: str, **values: str) -> str:
        schema = identifier(self.schema)
        known = {"schema": schema, "schema_name": literal(schema.strip('"'))}
        return render(self.sql(path), known | values)

    def _schema_statements(self) -> list[str]:
        text = self._render("schema.sql")
        return [part.strip() for part in re.split(r";\s*(?:\n|\Z)", text) if part.strip()]

    def _table(self, text: str) -> DatabaseObject:
        match = re.search(r'CREATE TABLE "\w+"\."(\w+)"', text)
        if match is None:
            raise ValueError("schema.sql: a statement that creates no table")
        digest, columns = _sha256(text), self._columns(match[1], text)
        return DatabaseObject(match[1], digest, f"{text}\nCOMMENT IS 'exatrust:{digest}'", columns)

    def _columns(self, table: str, text: str) -> dict[str, str]:
        """The statement that adds each column; to rows that have no value for it, so NULL."""
        return {
            name: self._render(
                "add_column.sql",
                table=identifier(table),
                definition=definition.replace(" NOT NULL", "", 1),
            ).strip()
            for definition, name in _COLUMN.findall(text)
        }

    def _script_object(
        self, stem: str, alias: str, release: Release, directory: str
    ) -> DatabaseObject:
        name = script_name(stem, alias, self.aliases)
        pin = _pin(stem, alias, release, directory)
        if stem in ALLOW_LISTED:
            pin["allowed_hosts"] = self.allowed_hosts
        text = self._script(stem, alias, name, pin)
        return _marked(name, text, "#")

    def _native_object(
        self, script: NativeScript, release: Release, directory: str
    ) -> DatabaseObject:
        text = self._render(
            script.template,
            alias=language_alias(script.alias),
            script=identifier(script.name),
            **native_body(script, release, directory, self.sql),
        )
        return _marked(script.name, text, COMMENTS[script.language])

    def _script(self, stem: str, alias: str, name: str, pin: Mapping[str, str]) -> str:
        body = "scripts/probe_node.py" if stem == SELF_CONTAINED else "stub.py"
        return self._render(
            f"scripts/{stem}.sql",
            alias=language_alias(alias),
            script=identifier(name),
            pin=_python_literal(pin),
            body=self.udf(body),
            imported=self.udf("imported.py"),
        )

    def _view(self, name: str, aliases: Sequence[str], values: Mapping[str, str]) -> DatabaseObject:
        parts = {"rows": self._union(name, aliases, values)}
        if name == "drift":
            parts["names"] = self._union("drift_names", aliases, values)
        return self._plain_view(name, **parts)

    def _union(self, rows: str, aliases: Sequence[str], values: Mapping[str, str]) -> str:
        return "\nUNION ALL\n".join(self.rows(rows, alias, **values) for alias in aliases)

    def _plain_view(self, name: str, **values: str) -> DatabaseObject:
        text = self._render(f"views/{name}.sql", **values).strip()
        digest = _sha256(text)
        return DatabaseObject(name.upper(), digest, f"{text}\nCOMMENT IS 'exatrust:{digest}'")

    def _known_aliases(self) -> str:
        """What an install knows of aliases; of others SCRIPT_LANGUAGES alone can tell."""
        template = self.sql("rows/language_alias.sql").strip()
        known = [(alias, "'SCRIPTS'", "NULL") for alias in (*self.aliases, *self.native)]
        known += [(alias, "'BROKEN'", literal(why)) for alias, why in self.broken.items()]
        return "\nUNION ALL\n".join(
            render(template, {"alias": literal(alias), "status": status, "reason": why})
            for alias, status, why in known
        )

    def _distrusted(self, distrust: Distrust) -> str:
        """The curated entries; the DBA's own are read from their table when the view is."""
        template = self.sql("rows/distrusted_root.sql").strip()
        return "\nUNION ALL\n".join(
            render(template, _distrust_values(root)) for root in distrust.curated
        )


def _distrust_values(root: DistrustedRoot) -> dict[str, str]:
    texts = {
        "sha256": root.sha256,
        "spki_sha256": root.spki_sha256,
        "subject": root.subject,
        "reason": root.reason,
        "distrusted_on": root.distrusted_on.isoformat() if root.distrusted_on else None,
        "source": root.source,
    }
    values = {name: "NULL" if text is None else literal(text) for name, text in texts.items()}
    return {**values, "confirmed": str(bool(root.confirmed)).upper()}


def _marked(name: str, text: str, comment: str) -> DatabaseObject:
    """A script with its digest at the end, in a comment of its language."""
    text = text.rstrip()
    digest = _sha256(text)
    body = _sha256(text[text.find(_BODY_START) :].strip())
    return DatabaseObject(name, digest, f"{text}\n{comment} exatrust:{digest} {body}\n")


def bodies_text(scripts: Sequence[DatabaseObject]) -> str:
    """What the check SCRIPT_PINS compares: lines of the SHA-256 of a script's body and its name."""
    return "\n".join(f"{_body_digest(item.sql)} {item.name}" for item in scripts)


def _body_digest(text: str) -> str:
    marker = _SCRIPT_MARKER.search(text)
    return marker[2] if marker else ""


def files_text(release: Release, directory: str) -> str:
    """What PROBE_NODE compares: lines of SHA-256 and absolute path."""
    return "\n".join(f"{file.sha256} {directory}/{file.name}" for file in release.files)


def _pin(stem: str, alias: str, release: Release, directory: str) -> dict[str, str]:
    if stem == SELF_CONTAINED:
        return {"alias": alias, "version": release.version}
    return {
        "alias": alias,
        "release": release.id,
        "directory": directory,
        "pyz": release.package.name,
        "pyz_sha256": release.package.sha256,
        "bundle": release.bundle.name,
        "bundle_sha256": release.bundle.sha256,
        "manifest": release.manifest.name,
        "manifest_sha256": release.manifest.sha256,
        "script": stem,
    }


def _python_literal(pin: Mapping[str, str]) -> str:
    items = "".join(f"    {key!r}: {value!r},\n" for key, value in pin.items())
    return "{\n" + items + "}"
