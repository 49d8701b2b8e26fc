"""What an install would do: both servers are looked at, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from exatrust import __version__, aliases, allowed_hosts, native, resources
from exatrust.bucket import Bucket
from exatrust.bundle import Anchor, Bundle, Removal
from exatrust.carry import carried_over
from exatrust.change import Change, changed
from exatrust.database import Database
from exatrust.default_set import CONTAINER, Roots, container_roots, named_roots
from exatrust.distrust import Distrust, curated, own
from exatrust.languages import PYTHON, Alias, broken_reasons
from exatrust.nodes import Coverage
from exatrust.observe import (
    Installed,
    installed,
    observe,
    probe,
    script_aliases,
    table_rows,
    tables,
)
from exatrust.plan import Action, Desired, Observed, plan
from exatrust.release import Release, build
from exatrust.settings import Settings
from exatrust.statements import Statements, files_text
from exatrust_udf.certificate import Certificate

Say = Callable[[str], None]


@dataclass(frozen=True)
class Ports:
    """The database and the bucket."""

    database: Database
    bucket: Bucket


@dataclass(frozen=True)
class Proposal:
    """What an install would do.

    `additions`: CAs that are wanted, and `known`: the SHA-256 of those that were added before;
    `held`: CAs that UDFs trust until now; `going`: those that it removes; `lost`: those that the
    sources have no more; `reason`: what a human said of the change; `aliases`: all of the database.
    """

    settings: Settings
    statements: Statements
    release: Release
    bundle: Bundle
    desired: Desired
    actions: tuple[Action, ...]
    known: frozenset[str]
    aliases: tuple[Alias, ...] = ()
    current: Installed | None = None  # what was installed when this was planned
    additions: tuple[Anchor, ...] = ()
    going: tuple[Removal, ...] = ()
    lost: tuple[Removal, ...] = ()
    held: tuple[Removal, ...] = ()
    reason: str | None = None

    @property
    def new_roots(self) -> tuple[Certificate, ...]:
        """Default roots that UDFs do not trust yet; none where they trust none yet."""
        held = {item.sha256 for item in self.held}
        anchors = self.bundle.anchors if held else ()
        found = (anchor.certificate for anchor in anchors if anchor.origin == "default")
        return tuple(item for item in found if item.sha256 not in held)

    @property
    def files(self) -> str:
        """The release's files as PROBE_NODE is given them."""
        return files_text(self.release, udf_directory(self.settings, self.release))


def statements_for(settings: Settings) -> Statements:
    """For the aliases of the settings, which are none where they are discovered."""
    named = settings.scripts.aliases
    return Statements(settings.database.schema, named, resources.sql, resources.udf_text)


def releases_path(settings: Settings) -> str:
    """Where releases are in the bucket."""
    return f"{settings.bucketfs.prefix}/releases"


def known_distrust(database: Database, statements: Statements) -> Distrust:
    """The curated list and the table OWN_DISTRUST, where there is one."""
    there = "OWN_DISTRUST" in tables(database, statements)
    rows = table_rows(database, statements, "OWN_DISTRUST", "own_distrust") if there else []
    return Distrust(curated(resources.distrusted_roots()), own(rows))


def propose(
    settings: Settings, ports: Ports, change: Change, distrust: Distrust, warn: Say
) -> Proposal:
    """Look at both servers and plan. Nothing is changed. Raises AliasError and what ports raise."""
    database, statements = ports.database, statements_for(settings)
    # A missing bucket or a wrong password must show before anything is said of files in it.
    there = frozenset(ports.bucket.list())
    current = installed(database, statements)
    carried = carried_over(
        database, ports.bucket, statements, current, releases_path(settings), warn
    )
    roots, roots_name = _roots(settings, database, statements, current, warn)
    bundle, going = changed(roots, roots_name, carried, change, distrust, warn)
    release = build(__version__, resources.udf_files(), bundle, distrust)
    proposal = propose_release(settings, ports, release, bundle, distrust, there, warn)
    known = frozenset(anchor.certificate.sha256 for anchor in carried.added)
    kept = {anchor.certificate.sha256 for anchor in bundle.anchors}
    additions = tuple(item for item in change.wanted if item.certificate.sha256 in kept)
    out = {item.sha256 for item in going} | {item.certificate.sha256 for item in bundle.left_out}
    lost = tuple(item for item in carried.held if item.sha256 not in kept | out)
    return replace(
        proposal, known=known, additions=additions, held=carried.held, going=going, lost=lost,
        reason=change.reason,
    )  # fmt: skip


def propose_release(
    settings: Settings,
    ports: Ports,
    release: Release,
    bundle: Bundle,
    distrust: Distrust,
    there: Collection[str],
    warn: Say,
) -> Proposal:
    """Plan for one release. `there` is the bucket's listing. Nothing is changed."""
    database, statements = ports.database, statements_for(settings)
    current = installed(database, statements)
    statements, found, kept = _with_aliases(settings, database, statements, current, warn)
    statements = replace(statements, allowed_hosts=allowed_hosts.read(database, statements))
    desired = desire(settings, statements, release, distrust)
    observed = observe(database, ports.bucket, there, statements, current, desired)
    database.rollback()
    actions = plan(desired, _without(observed, kept))
    return Proposal(
        settings, statements, release, bundle, desired, actions, frozenset(), found, current
    )


def _with_aliases(
    settings: Settings, database: Database, statements: Statements, current: Installed | None,
    warn: Say,
) -> tuple[Statements, tuple[Alias, ...], frozenset[str]]:  # fmt: skip
    """The statements for the aliases that get scripts, all aliases, and scripts to leave alone.

    A broken alias must show before anything is changed.
    """
    recorded = current.aliases if current else ()
    if recorded and not settings.scripts.aliases:
        # An alias that broke earlier is in no record any more, and its scripts are still there.
        recorded = tuple(dict.fromkeys([*recorded, *script_aliases(database, statements)]))
    found, choice = aliases.decide(database, statements, settings.scripts.aliases, recorded)
    if recorded and choice.aliases[0] != recorded[0]:
        warn(
            f"the scripts without suffix were those of language alias {recorded[0]}, and are those "
            f"of {choice.aliases[0]} then: scripts.aliases names it first"
        )
    for name, why in choice.kept.items():
        warn(f"the scripts of language alias {name} stay as they are, it does not work: {why}")
    if not settings.scripts.aliases:
        for alias in found:
            if alias.broken and alias.language == PYTHON and alias.name not in choice.kept:
                warn(f"skipped: language alias {alias.sentence}")
    kept = aliases.script_names(resources.script_names(), tuple(choice.kept))
    if not settings.scripts.aliases:
        kept |= _kept_native(database, statements, choice.native, warn)
    statements = replace(
        statements,
        aliases=choice.aliases,
        broken=broken_reasons(found),
        native=choice.native,
    )
    return statements, found, kept


def _kept_native(
    database: Database, statements: Statements, working: Collection[str], warn: Say
) -> frozenset[str]:
    """Java and R scripts of an earlier install whose alias runs none now: they stay."""
    texts = database.rows(statements.query("scripts"))
    found = native.kept(texts, working)
    for alias in sorted(set(found.values())):
        warn(f"the scripts of language alias {alias} stay as they are, it does not work now")
    return frozenset(found)


def _without(observed: Observed, kept: frozenset[str]) -> Observed:
    """Scripts that are left alone are none of the plan's business."""
    scripts = {name: mark for name, mark in observed.scripts.items() if name not in kept}
    return replace(observed, scripts=scripts)


def _roots(
    settings: Settings, database: Database, statements: Statements, current: Installed | None,
    warn: Say,
) -> Roots:  # fmt: skip
    if settings.bundle.roots != CONTAINER:
        return named_roots(settings.bundle.roots)
    names = settings.scripts.aliases or (current.aliases if current else ())
    if not names:  # what is discovered is told when the release is planned
        names = _with_aliases(settings, database, statements, current, lambda text: None)[0].aliases
    return container_roots(database, statements, names[0], warn)


def desire(
    settings: Settings, statements: Statements, release: Release, distrust: Distrust
) -> Desired:
    """What shall be there for a release."""
    path = f"{releases_path(settings)}/{release.id}"
    directory = udf_directory(settings, release)
    stems = resources.script_names()
    return Desired(
        release=release.id,
        schema=settings.database.schema.upper(),
        aliases=statements.aliases,
        files={f"{path}/{file.name}": file.sha256 for file in release.files},
        tables=statements.tables(),
        scripts=statements.scripts(stems, release, directory),
        allowed_hosts=statements.allowed_hosts,
        views=statements.views(release, directory, distrust),
        create_schema=statements.create_schema(),
        drop=statements.drop,
    )


def udf_directory(settings: Settings, release: Release) -> str:
    return f"{settings.bucketfs.udf_directory}/releases/{release.id}"


def probe_release(proposal: Proposal, ports: Ports, alias: str) -> Coverage:
    """Which nodes see the proposed release, asked by a script that is rolled back.

    Raises AliasBroken.
    """
    return probe(
        ports.database,
        proposal.statements,
        alias,
        version=proposal.release.version,
        release=proposal.release.id,
        files=proposal.files,
    )
