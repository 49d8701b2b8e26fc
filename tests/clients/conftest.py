"""Makes the servers of tests/unit/endpoints importable here as well."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ENDPOINTS = Path(__file__).parents[1] / "unit" / "endpoints"

for name, file in (("tls_lab", "lab.py"), ("real_servers", "real_servers.py")):
    if name in sys.modules:
        continue
    spec = importlib.util.spec_from_file_location(name, ENDPOINTS / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
