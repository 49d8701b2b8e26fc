"""Imports run one way: checked on the syntax tree, so that a stray import cannot hide."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "exatrust_udf": ROOT / "udfs" / "exatrust_udf",
    "exatrust": ROOT / "installer" / "exatrust",
    "exatrust_sandbox": ROOT / "installer" / "exatrust_sandbox",
}
# The parts of exatrust_udf that take bytes and a time and give values.
PURE = (
    "ber", "case", "causes", "certificate", "clients", "der", "diagnosis", "endpoint", "evidence",
    "extensions", "findings", "greetings", "hashlinks", "https_address", "https_allowed",
    "https_arguments", "https_body", "https_url", "jks", "json_pointer", "keys", "kinds", "limits",
    "locate",
    "names", "observations", "obstacles", "oids", "outbound", "outbound_hosts", "outbound_jdbc",
    "outbound_schemes", "pbe", "pem", "pkcs12", "rc2", "source_text", "stores", "strict", "talk",
    "unverified", "verdict", "wire", "wording",
)  # fmt: skip
IMPURE_MODULES = {"socket", "selectors", "os", "pathlib", "time", "io", "subprocess", "ctypes"}
SWITCHED_OFF = ("CERT_NONE", "verify=False", "nocertcheck", "_create_unverified_context")


@dataclass(frozen=True)
class Import:
    """One import: where it stands, what it names, and whether it runs when the module loads."""

    file: Path
    line: int
    module: str
    at_module_level: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def imports_of(package: str) -> list[Import]:
    return [found for file in sorted(PACKAGES[package].rglob("*.py")) for found in imports_in(file)]


def imports_in(file: Path) -> Iterator[Import]:
    yield from _walk(file, ast.parse(file.read_text()), at_module_level=True)


def _walk(file: Path, node: ast.AST, at_module_level: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(file, child.lineno, alias.name, at_module_level)
        elif isinstance(child, ast.ImportFrom):
            yield Import(file, child.lineno, _absolute(file, child), at_module_level)
            for alias in child.names:
                name = f"{_absolute(file, child)}.{alias.name}"
                yield Import(file, child.lineno, name, at_module_level)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            lazy = inside or _is_type_checking(child)
            yield from _walk(file, child, at_module_level and not lazy)


def _absolute(file: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    base = next(path for path in PACKAGES.values() if path in file.parents).parent
    package = file.parent.relative_to(base).parts[: len(file.parts)]
    anchor = package[: len(package) - node.level + 1]
    return ".".join([*anchor, *([node.module] if node.module else [])])


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def test_udf_code_needs_the_standard_library_alone() -> None:
    allowed = set(sys.stdlib_module_names) | {"exatrust_udf"}
    optional = {"cryptography", "certifi"}
    strays = [
        found
        for found in imports_of("exatrust_udf")
        if found.top not in allowed and not (found.top in optional and not found.at_module_level)
    ]
    assert not strays, "\n".join(map(str, strays))


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_touch_no_socket_file_or_clock(module: str) -> None:
    file = PACKAGES["exatrust_udf"] / f"{module}.py"
    strays = [found for found in imports_in(file) if found.top in IMPURE_MODULES]
    calls = [
        f"{file.name}:{node.lineno} calls {node.func.attr}()"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("now", "utcnow", "today")
    ]
    assert not strays + calls, "\n".join(map(str, [*strays, *calls]))


@pytest.mark.parametrize(
    ("library", "module"),
    [
        ("requests", "bucketfs.py"),
        ("pyexasol", "database.py"),
        ("exasol", "saas.py"),
        ("httpx", "saas.py"),
    ],
)
def test_each_port_is_the_only_importer_of_its_library(library: str, module: str) -> None:
    importers = {found.file.name for found in imports_of("exatrust") if found.top == library}
    assert importers == {module}


def test_the_libraries_of_an_extra_are_reached_lazily_from_one_place() -> None:
    found = [item for item in imports_of("exatrust") if item.module.startswith("exatrust.saas")]
    assert {item.file.name for item in found} == {"buckets.py"}
    assert not [str(item) for item in found if item.at_module_level]


def test_nobody_imports_the_command_line() -> None:
    strays = [
        found
        for found in imports_of("exatrust")
        if found.module.startswith("exatrust.cli")
        and found.file.name != "__main__.py"
        and "cli" not in found.file.relative_to(PACKAGES["exatrust"]).parts
    ]
    assert not strays, "\n".join(map(str, strays))


def test_the_stand_in_imports_no_product_code() -> None:
    product = ("exatrust", "exatrust_udf")
    strays = [found for found in imports_of("exatrust_sandbox") if found.top in product]
    assert not strays, "\n".join(map(str, strays))


def test_the_product_reaches_the_stand_in_lazily_from_two_places() -> None:
    found = [item for item in imports_of("exatrust") if item.top == "exatrust_sandbox"]
    assert found, "the sandbox commands are gone"
    assert not [str(item) for item in found if item.at_module_level]
    assert {item.file.name for item in found} <= {"group.py", "demo.py"}


def test_udf_code_never_imports_the_installer() -> None:
    strays = [found for found in imports_of("exatrust_udf") if found.top == "exatrust"]
    assert not strays, "\n".join(map(str, strays))


@pytest.mark.parametrize("package", ["exatrust", "exatrust_udf"])
def test_product_code_never_switches_verification_off(package: str) -> None:
    strays = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in PACKAGES[package].rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in SWITCHED_OFF)
        or (isinstance(node, ast.Name) and node.id in SWITCHED_OFF)
        or (isinstance(node, ast.keyword) and _is_verify_false(node))
    ]
    assert not strays, "\n".join(strays)


def _is_verify_false(node: ast.keyword) -> bool:
    return (
        node.arg == "verify" and isinstance(node.value, ast.Constant) and node.value.value is False
    )
