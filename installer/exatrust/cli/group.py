"""The group that all commands belong to."""

from __future__ import annotations

from importlib import import_module

import click

# Where a command lives that needs the stand-in's libraries, and what --help says of it.
_LAZY = {
    "sandbox": ("exatrust_sandbox.cli", "sandbox", "A stand-in cluster on this machine."),
}


class _Group(click.Group):
    """A group whose lazy commands are imported when called, not when listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LAZY])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LAZY:
            return super().get_command(ctx, cmd_name)
        module, name, _ = _LAZY[cmd_name]
        try:
            command: click.Command = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{cmd_name} needs {error.name}; install exatrust[sandbox] on Python 3.11 or later"
            ) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, _LAZY[name][2] if name in _LAZY else self.commands[name].get_short_help_str(100))
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """One CA bundle for all UDFs of an Exasol database, on every node and in every container."""
