"""Passwords: from EXATRUST_<SECTION>_PASSWORD, a file, or a prompt; never from an argument."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exatrust.errors import SettingsError


@dataclass(frozen=True)
class Secret:
    """A password that shows itself to nobody who prints, logs or compares it by accident."""

    value: str = field(repr=False)

    def reveal(self) -> str:
        return self.value

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True)
class Sources:
    """Where passwords may come from. `ask` prompts a human, None when nobody is there."""

    environ: Mapping[str, str] = field(repr=False)
    ask: Callable[[str], str] | None
    warn: Callable[[str], None]

    def password(self, section: str, user: str, file: Path | None) -> Secret:
        """The password of `user`. Raises SettingsError when there is no way to get one."""
        return self._secret(section, f"password for user {user}", file,
                            f"Password of {section} user {user}")  # fmt: skip

    def token(self, section: str, file: Path | None) -> Secret:
        """A personal access token: as good as a password, and given in the same ways."""
        return self._secret(section, "personal access token", file,
                            "Personal access token of Exasol SaaS")  # fmt: skip

    def _secret(self, section: str, what: str, file: Path | None, question: str) -> Secret:
        variable = f"EXATRUST_{section.upper()}_PASSWORD"
        if variable in self.environ:
            return Secret(self.environ[variable])
        if file is not None:
            setting = f"{section}.password_file"
            secret = self.from_file(setting, file)
            if not secret.reveal():
                raise SettingsError(f"{setting}: {file} is empty", f"write the {what} into it")
            return secret
        if self.ask is not None:
            return Secret(self.ask(question))
        raise SettingsError(f"{section}: no {what}", f"set {variable} or {section}.password_file")

    def from_file(self, setting: str, file: Path) -> Secret:
        """The secret in a file. `setting` is what names the file."""
        try:
            text = file.read_text(encoding="utf-8")
            others_may_read = file.stat().st_mode & stat.S_IROTH
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise SettingsError(
                f"{setting}: {file}: {reason}", "name a readable file of mode 0600"
            ) from error
        if others_may_read:
            self.warn(f"{file} holds a password and everybody may read it; run: chmod 600 {file}")
        # One line end comes from the editor; more could belong to the password, as in BucketFS
        # passwords that were decoded from base64.
        return Secret(text.removesuffix("\n").removesuffix("\r"))
