"""Everything that can end a command of `exatrust`, with what to do about it.

    ExatrustError                 exit status
    ├── UsageError                2  what was given cannot be used
    │   ├── SettingsError            exatrust.toml, EXATRUST_* or a flag
    │   ├── BundleRejected           a CA file that must not be distributed
    │   ├── NotConfirmed             a CA nobody has vouched for, or a destructive step
    │   ├── AnchorInUse              a CA that endpoints depend on shall go
    │   ├── RepinRefused             a script of somebody's that cannot be rewritten
    │   ├── AliasError               a language alias that is unknown or foreign, or none that works
    │   │   └── AliasBroken             an alias in which no script runs
    │   ├── WrongPassword            the database or BucketFS refused the credentials
    │   ├── BucketForbidden          a mounted bucket that this user may not use
    │   └── MissingBucket            BucketFS has no bucket of that name, or nothing is mounted
    ├── Unreachable               3  nobody answered, or not the one we may talk to
    │   ├── DatabaseUnreachable
    │   ├── BucketFSUnreachable
    │   ├── EndpointUnreachable      a server whose CA shall be added
    │   └── CertificateRefused       an unknown CA, a wrong name, or another certificate than pinned
    └── Unfinished                1  it was tried, and is not in order
        ├── NotInstalled             the schema has no release (yet)
        ├── TableDamaged             a table of ours lacks columns
        ├── NodesBehind              nodes that do not see the release, or did not answer
        ├── BucketFSFailed           BucketFS answered, but not as it should
        ├── Superseded               another installer was quicker
        ├── SqlFailed                the database refused a statement
        └── Collision                another transaction won, again and again

Every error carries a message that names the thing, and an action that says what to do next.
Messages never hold a password: they are built from names, never from credentials.
"""

# The names say what happened, as the documented tree reads; "Error" at the end adds nothing.

from __future__ import annotations

import re

_USER_INFO = re.compile(r"[^\s'\"/=@]+:(?!//)[^\s'\"]*@")


class ExatrustError(Exception):
    """An error meant for a human. `message` says what is wrong, `action` what to do next."""

    exit_code = 1

    def __init__(self, message: str, action: str) -> None:
        # What was typed is often repeated, and an address may hold somebody's password.
        self.message = _USER_INFO.sub("***@", message)
        super().__init__(self.message)
        self.action = action


class UsageError(ExatrustError):
    exit_code = 2


class SettingsError(UsageError):
    pass


class BundleRejected(UsageError):
    pass


class NotConfirmed(UsageError):
    pass


class AnchorInUse(UsageError):
    pass


class RepinRefused(UsageError):
    pass


class AliasError(UsageError):
    pass


class AliasBroken(AliasError):
    """`why` is what the database said when a script should run."""

    def __init__(self, alias: str, why: str) -> None:
        super().__init__(
            f"language alias {alias} is broken, a probe script fails: {why}",
            "repair the language container of this alias (its definition is in SCRIPT_LANGUAGES), "
            "or take the alias out of scripts.aliases",
        )
        self.why = why


class WrongPassword(UsageError):
    pass


class BucketForbidden(UsageError):
    pass


class MissingBucket(UsageError):
    pass


class Unreachable(ExatrustError):
    exit_code = 3


class DatabaseUnreachable(Unreachable):
    pass


class BucketFSUnreachable(Unreachable):
    pass


class EndpointUnreachable(Unreachable):
    pass


class CertificateRefused(Unreachable):
    pass


class Unfinished(ExatrustError):
    exit_code = 1


class NotInstalled(Unfinished):
    pass


class TableDamaged(Unfinished):
    pass


class NodesBehind(Unfinished):
    pass


class BucketFSFailed(Unfinished):
    pass


class Superseded(Unfinished):
    pass


class SqlFailed(Unfinished):
    """`code` is the SQL state, `text` the database's own words."""

    def __init__(self, code: str, text: str, action: str) -> None:
        super().__init__(f"the database refused a statement (SQL state {code}): {text}", action)
        self.code = code
        self.text = text

    @property
    def forbidden(self) -> bool:
        """Whether a privilege is missing."""
        return self.code == "42500" or "insufficient privileges" in self.text.lower()


class Collision(SqlFailed):
    pass
