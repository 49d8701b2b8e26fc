"""`exatrust trust-server`: pin the certificate of the database or of BucketFS.

A fresh Exasol makes a certificate itself, which no CA vouches for and whose name fits no host. Only
a look at the node's own disk tells whether the one that was received is the server's; so a human
has to type what the node says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exatrust.contact import DATABASE, Contact, Server, look_at, presented, servers
from exatrust.dsn import fingerprint, with_fingerprint
from exatrust.errors import (
    BucketFSUnreachable,
    CertificateRefused,
    DatabaseUnreachable,
    NotConfirmed,
    SettingsError,
    UsageError,
)
from exatrust.pinning import ON_THE_NODE
from exatrust.report import one_line
from exatrust.settings import Settings
from exatrust.terminal import OK, Terminal
from exatrust.tomledit import read_exactly, replace_file, text_of, with_text
from exatrust_udf.certificate import Certificate

Load = Callable[[Path | None], Settings]


@dataclass(frozen=True)
class Vouching:
    """How a human vouches: by fingerprints in `confirmed`, or, if `first_use`, not at all."""

    confirmed: frozenset[str]
    first_use: bool


def run_trust_server(
    load: Load,
    file: Path | None,
    terminal: Terminal,
    sections: Sequence[str],
    confirmed: Sequence[str],
    first_use: bool,
) -> int:
    """0 when every asked server is trusted then. `load` reads the settings out of a file."""
    vouching = Vouching(frozenset(fingerprint(t, "--confirm") for t in confirmed), first_use)
    settings = load(file)
    _require_server(sections, settings)
    outcome = []
    for server in servers(settings):
        if not sections or server.section in sections:
            found, changed = _trust(server, load, file, terminal, vouching)
            # The default certificate serves both: what was confirmed once need not be typed twice.
            vouching = replace(vouching, confirmed=vouching.confirmed | {found.sha256})
            outcome.append((server, found, changed))
    _show(outcome, terminal)
    return OK


def _require_server(sections: Sequence[str], settings: Settings) -> None:
    for section in set(sections) - {server.section for server in servers(settings)}:
        raise UsageError(
            f"{section} has no server: it is {settings.bucketfs.place}",
            "run `exatrust trust-server database`",
        )


def _show(outcome: Sequence[tuple[Server, Certificate, bool]], terminal: Terminal) -> None:
    document = [
        {"section": server.section, "sha256": found.sha256, "subject": found.subject,
         "pinned_now": changed}
        for server, found, changed in outcome
    ]  # fmt: skip
    terminal.report.document({"servers": document})


def _trust(
    server: Server, load: Load, file: Path | None, terminal: Terminal, vouching: Vouching
) -> tuple[Certificate, bool]:
    """The server's certificate, and whether it was pinned just now."""
    _require_encrypted(server)
    contacts = look_at(server)
    found = _one(server, contacts)
    if any(contact.trusted for contact in contacts):
        how = "its fingerprint is pinned" if server.pin else "a CA vouches for it"
        terminal.report.say(f"{server.name}: the certificate is trusted already, {how}")
        return found, False
    _require_pinnable(server)
    _vouch(server, found, terminal, vouching)
    _pin(server, found, load, file)
    terminal.report.say(f"pinned {found.sha256} as {server.pin_setting} in {file}")
    return found, True


def _require_encrypted(server: Server) -> None:
    if not server.encrypted:
        raise UsageError(
            f"{server.name} is addressed without TLS, so there is no certificate to trust",
            "set bucketfs.url to https://HOST:PORT (2581 is the usual port)",
        )


def _require_pinnable(server: Server) -> None:
    if server.is_saas:
        raise UsageError(
            f"the certificate of {server.name} is not accepted, and cannot be pinned: its object "
            "store has another one",
            "set bucketfs.ca_file to the CA that signs them, that of your company's proxy perhaps",
        )


def _one(server: Server, contacts: Sequence[Contact]) -> Certificate:
    """The certificate that all hosts which answer present. Raises Unreachable."""
    found = list(presented(contacts))
    if not found:
        reasons = "; ".join(f"{item.address}: {item.problem}" for item in contacts)
        kind = DatabaseUnreachable if server.section == DATABASE else BucketFSUnreachable
        raise kind(f"{server.name} does not answer: {reasons}", "see `exatrust doctor`")
    if len(found) > 1:
        raise CertificateRefused(
            f"the hosts of {server.pin_setting} present {len(found)} different certificates: "
            + ", ".join(item.sha256 for item in found),
            "a cluster has one certificate on all nodes; find out which host has another one",
        )
    return found[0]


def _vouch(server: Server, found: Certificate, terminal: Terminal, vouching: Vouching) -> None:
    """Raises NotConfirmed unless a human vouches, or asked for trust on first use in words."""
    _explain(server, found, terminal)
    if found.sha256 in vouching.confirmed:
        return
    if vouching.first_use:
        _trust_on_first_use(server, found, terminal)
        return
    if vouching.confirmed:
        raise _other(found, "--confirm")
    if terminal.line is None:
        raise NotConfirmed(
            f"nobody vouched for the certificate of {server.name}",
            f"read the fingerprint on a node ({ON_THE_NODE}) and give it as --confirm SHA256",
        )
    typed = terminal.line("Type the fingerprint that you read on the node, to trust it")
    if fingerprint(typed, "what was typed") != found.sha256:
        raise _other(found, "what was typed")


def _explain(server: Server, found: Certificate, terminal: Terminal) -> None:
    say = terminal.report.say
    say(f"{server.name} presents a certificate that the settings do not trust:")
    if server.pin:
        say(f"Pinned    {server.pin}, so far; an administrator renewed the certificate, or somebody"
            " stands in between")  # fmt: skip
    say(f"Subject   {one_line(found.subject)}")
    say(f"Issuer    {'itself' if found.self_issued else one_line(found.issuer)}")
    say(f"Valid     {found.not_before:%Y-%m-%d} to {found.not_after:%Y-%m-%d}")
    say(f"SHA-256   {':'.join(found.sha256[n : n + 2] for n in range(0, 64, 2)).upper()}")
    say(f"Compare it with the one on a node, over SSH: {ON_THE_NODE}")


def _trust_on_first_use(server: Server, found: Certificate, terminal: Terminal) -> None:
    if server.pin:
        raise NotConfirmed(
            f"{server.name} was trusted before and presents another certificate: this is no first "
            "use",
            f"read the fingerprint on a node ({ON_THE_NODE}) and give it as --confirm SHA256",
        )
    terminal.report.warn(
        f"nobody compared {found.sha256} with the node: whoever stands between this machine and "
        f"{server.name} now is trusted from now on, and gets its password"
    )


def _other(found: Certificate, what: str) -> NotConfirmed:
    return NotConfirmed(
        f"{what} is not the fingerprint of the certificate that came, {found.sha256}",
        "nothing was changed; if it was read on a node of this cluster, somebody stands between "
        "this machine and the cluster",
    )


def _pin(server: Server, found: Certificate, load: Load, file: Path | None) -> None:
    """Write it into the settings file, and see that the setting has effect."""
    if file is None:
        raise SettingsError(
            "there is no settings file to write the fingerprint to",
            f"write an exatrust.toml, or set {server.pin_setting} to {found.sha256}",
        )
    text = read_exactly(file)
    section, key = server.pin_setting.split(".")
    value = found.sha256
    if server.section == DATABASE:
        value = with_fingerprint(text_of(text, section, key), found.sha256)
    edited = with_text(text, section, key, value)
    replace_file(file, edited, lambda new: _check(new, server.section, found, load))


def _check(new: Path, section: str, found: Certificate, load: Load) -> None:
    pins = {server.section: server.pin for server in servers(load(new))}
    if pins[section] != found.sha256:
        raise SettingsError(
            "a variable EXATRUST_* or a flag is stronger than the settings file",
            f"write the fingerprint {found.sha256} there",
        )
