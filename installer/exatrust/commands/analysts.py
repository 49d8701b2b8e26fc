"""`exatrust snippet` and `exatrust repin`."""

from __future__ import annotations

from collections.abc import Sequence

from exatrust import repin, status
from exatrust.errors import AliasError, RepinRefused
from exatrust.observe import Installed
from exatrust.proposal import statements_for
from exatrust.settings import Settings
from exatrust.snippets import import_line, paths, snippet
from exatrust.statements import Statements, script_name
from exatrust.terminal import FINDINGS, OK, Terminal, ask_yes, open_database

PYTHON = "python"


def run_snippet(settings: Settings, terminal: Terminal, language: str, alias: str | None) -> int:
    """0 when the lines for the current release are on standard output, and nothing else is."""
    report, statements = terminal.report, statements_for(settings)
    with open_database(settings, terminal) as database:
        current = status.require_installed(database, statements)
    lines = snippet(language, paths(current.files))
    following = _import_line(statements, current, alias) if language == PYTHON else None
    report.document(
        {"release": current.release, "language": language, "lines": lines, "import": following}
    )
    if not report.as_json:
        for line in lines:
            report.say(line)
    report.note(f"These lines stay with release {current.release} until `exatrust repin`.")
    if following:
        report.note(f"Instead of them, this follows every release: {following}")
    return OK


def _import_line(statements: Statements, current: Installed, alias: str | None) -> str:
    wanted = (alias or current.aliases[0]).upper()
    if wanted not in current.aliases:
        raise AliasError(
            f"alias {wanted} has no scripts of exatrust",
            f"take one of {', '.join(current.aliases)}",
        )
    name = script_name("exatrust_udf", wanted, current.aliases)
    return f"{import_line(statements.schema.upper(), name)}; exatrust_udf.activate()"


def run_repin(
    settings: Settings, terminal: Terminal, names: Sequence[str], everything: bool, yes: bool
) -> int:
    """0 when the scripts name the current release. Without names a list, and 1 for one behind."""
    report, statements = terminal.report, statements_for(settings)
    with open_database(settings, terminal) as database:
        to = repin.target(status.require_installed(database, statements))
        known = repin.read(database, statements, to)
        database.rollback()
        if not (names or everything):
            return _list(terminal, known, to)
        chosen = repin.chosen(known, names) if names else known
        repins, left_out = _repins(terminal, chosen, to, everything)
        _show(terminal, repins, to)
        if not repins:
            if not left_out:
                report.say(f"Nothing to do: release {to.release} is what they name.")
            return FINDINGS if left_out else OK
        if not yes:
            ask_yes(terminal, f"This replaces {len(repins)} scripts of others, as shown.")
        lost = repin.carry_out(database, statements, repins)
    report.say(f"Done: {len(repins)} scripts name release {to.release}.")
    if lost:
        report.warn("replacing lost grants of connections; whoever may grant them has to run:")
        for sql in lost:
            report.say(f"{sql};")
    return FINDINGS if left_out else OK


def _repins(
    terminal: Terminal, chosen: Sequence[repin.Pinned], to: repin.Target, everything: bool
) -> tuple[list[repin.Repin], bool]:
    """The new texts, and whether a script was left out: of all, one that cannot be rewritten must
    not keep the others back."""
    found, left_out = [], False
    for script in chosen:
        if not script.releases:
            continue
        try:
            new = repin.repinned(script, to)
            repin.replacing(new)
        except RepinRefused as error:
            if not everything:
                raise
            left_out = True
            terminal.report.warn(f"left out: {error.message}: {error.action}")
        else:
            found.append(new)
    return found, left_out


def _list(terminal: Terminal, known: Sequence[repin.Pinned], to: repin.Target) -> int:
    report = terminal.report
    behind = [script for script in known if script.releases]
    report.document(
        {
            "release": to.release,
            "scripts": [{"name": s.full_name, "names": s.releases} for s in known],
        }
    )
    report.table(
        ("SCRIPT", "NAMES"),
        [(s.full_name, ", ".join(s.releases) or f"{to.release}, the current one") for s in known],
    )
    report.say(f"{len(behind)} scripts name another release than {to.release}.")
    return FINDINGS if behind else OK


def _show(terminal: Terminal, repins: Sequence[repin.Repin], to: repin.Target) -> None:
    report = terminal.report
    report.document(
        {
            "release": to.release,
            "scripts": [
                {
                    "name": item.script.full_name,
                    "changes": [
                        {"line": n, "old": old, "new": new} for n, old, new in item.changes
                    ],
                }
                for item in repins
            ],
        }
    )
    for item in repins:
        report.say(item.script.full_name)
        for number, old, new in item.changes:
            report.say(f"  {number:>4} - {old}\n       + {new}")
