"""Which of sqlglot's functions mean the same in Exasol and, translated, in DuckDB."""

from __future__ import annotations

from sqlglot import exp

from .errors import unsupported

_NAMES = """
Abs Acos And AnyValue Ascii Asin Atan Atan2 Avg BitLength ByteLength Case Cast Ceil Chr Coalesce
Concat ConvertTimezone Corr Cos Cosh Cot Count CovarPop CovarSamp CumeDist DateAdd DateDiff
DateTrunc Day DecodeCase Degrees DenseRank Exists Exp Extract FirstValue Floor Greatest
GroupConcat Hour If Initcap IntDiv Lag LastValue Lead Least Left Length Ln Log Lower MD5 Max
Median Min Minute Month NthValue Ntile Nullif Nvl2 Or Pad PercentRank Pi Pow Radians Rand Rank
RegexpExtract RegexpInstr RegexpLike RegexpReplace Repeat Replace Reverse Right Round RowNumber
SHA SHA2 Second Sign Sin Sinh Space Sqrt Stddev StddevPop StddevSamp StrPosition Substring Sum Tan
Tanh TimeToStr TimestampTrunc ToChar Translate Trim Trunc TsOrDsToDate Unicode Upper
Variance VariancePop Xor Year Anonymous
"""
_SAME = frozenset(_NAMES.split())


def check_functions(tree: exp.Expr) -> None:
    """Raises SqlError 0A000 for a function that is not known to mean the same."""
    for node in tree.find_all(exp.Func):
        if type(node).__name__ not in _SAME:
            raise unsupported(f"the function {node.sql_name()}")


def date_difference(node: exp.DateDiff) -> exp.Expr:
    """DAYS_BETWEEN counts days of the calendar; the others measure time, with its fractions."""
    unit = node.text("unit").upper() or "DAY"
    seconds = {"HOUR": 3600, "MINUTE": 60, "SECOND": 1}.get(unit)
    if unit == "DAY":
        return node
    if seconds is None:
        raise unsupported(f"{unit}S_BETWEEN")
    later, earlier = (
        exp.Anonymous(this="EPOCH_MS", expressions=[exp.cast(part.copy(), "TIMESTAMP")])
        for part in (node.this, node.expression)
    )
    elapsed = exp.Paren(this=exp.Sub(this=later, expression=earlier))
    if unit == "SECOND":
        # Multiplied, since a division gives DOUBLE, which has no exact thousandths.
        exact = exp.cast(elapsed, "DECIMAL(18,0)")
        return exp.cast(
            exp.Mul(this=exact, expression=exp.Literal.number("0.001")), "DECIMAL(18,3)"
        )
    return exp.Div(this=elapsed, expression=exp.Literal.number(f"{seconds * 1000}.0"))
