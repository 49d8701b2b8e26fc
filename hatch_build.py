"""What hatchling does before it builds a wheel or an editable install."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).with_name("installer")))

from compile_udfs import compile_all


class CompileUdfs(BuildHookInterface):  # type: ignore[misc, type-arg]
    """Bytecode for the Pythons of language containers."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for line in compile_all():
            self.app.display_warning(line)
