"""Functions that DuckDB has in another way, made of its own, and known to it by these names."""

from __future__ import annotations

from sqlglot import exp

from .names import literal

TEXT, DIVISOR, FIND, KNOWN = (
    f"exa_catalog.{name}" for name in ("exa_text", "exa_divisor", "exa_find", "exa_known")
)
DIVISION_BY_ZERO = "data exception - division by zero"
_NULL_BESIDE = "the stand-in does not support GREATEST and LEAST beside NULL"


def raised(code: str, text: str) -> str:
    """A SQL expression that fails with an error of Exasol's."""
    return f"error({literal(f'[exasol:{code}]{text}')})"


# A text as Exasol writes it: TRUE, a moment with six digits (NLS_TIMESTAMP_FORMAT), and 1 for the
# DOUBLE 1.0 (*inferred*). The branches are all typed for every x, hence the detour over VARCHAR.
# Positions count from 1, or, when negative, backwards from the end; a next occurrence may overlap
# the one before (*inferred*).
DEFINITIONS = f"""
CREATE OR REPLACE MACRO {TEXT}(x) AS CASE
    WHEN typeof(x) = 'BOOLEAN' THEN upper(CAST(x AS VARCHAR))
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT')
        THEN replace(regexp_replace(CAST(x AS VARCHAR), '\\.0$', ''), 'e+', 'e')
    WHEN typeof(x) LIKE 'TIMESTAMP%'
        THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%f')
    ELSE CAST(x AS VARCHAR) END;
CREATE OR REPLACE MACRO {DIVISOR}(x) AS
    CASE WHEN x = 0 THEN {raised("22012", DIVISION_BY_ZERO)} ELSE x END;
CREATE OR REPLACE MACRO {KNOWN}(x) AS
    CASE WHEN x IS NULL THEN {raised("0A000", _NULL_BESIDE)} ELSE x END;
CREATE OR REPLACE MACRO {FIND}(x, part, start, number) AS CASE
    WHEN x IS NULL OR part IS NULL OR start IS NULL OR number IS NULL THEN NULL
    ELSE coalesce(list_filter(
        CASE WHEN start < 0 THEN range(length(x) + start + 1, 0, -1)
             ELSE range(greatest(start, 1), length(x) + 1) END,
        lambda i: substring(x, i, length(part)) = part)[number], 0) END;
"""


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def kind_of(node: exp.Expr) -> exp.DataType | None:
    """The type that was found for a node before it was translated."""
    kind = node.meta.get("kind")
    return kind if isinstance(kind, exp.DataType) else None


def as_text(node: exp.Expr) -> exp.Expr:
    """The node as a text, converted as Exasol does where it is none."""
    kind = kind_of(node)
    if kind is not None and kind.is_type("varchar", "char", "text"):
        return node.copy()
    if isinstance(node, exp.Literal) and node.is_string:
        return node.copy()
    if isinstance(node, exp.Anonymous) and node.name == TEXT:
        return node.copy()
    return call(TEXT, node)


def guarded_divisor(node: exp.Expr) -> exp.Expr:
    """A divisor that fails when it is 0, where DuckDB gives infinity or NULL."""
    if isinstance(node, exp.Literal) and float(node.name) != 0:
        return node.copy()
    return call(DIVISOR, node)
