"""Makes the laboratory importable under one name, whatever way the tests are collected."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if "tls_lab" not in sys.modules:
    spec = importlib.util.spec_from_file_location("tls_lab", Path(__file__).with_name("lab.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tls_lab"] = module
    spec.loader.exec_module(module)
