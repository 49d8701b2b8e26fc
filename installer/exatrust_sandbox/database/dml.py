"""INSERT, UPDATE, DELETE, MERGE, TRUNCATE, and rows given by a client."""

from __future__ import annotations

from collections.abc import Sequence

import sqlglot
from sqlglot import exp

from .catalog import CatalogObject
from .compile import compile_query, note_kinds
from .errors import not_found, unstable_merge, unsupported
from .model import ResultColumn, Row, RowCount, SqlError
from .names import physical, quote, table_path
from .resolve import parse
from .scripts import Machines
from .statements import ColumnDef, Dml, Truncate
from .transactions import Transaction
from .translate import to_duckdb
from .types import duckdb_type, resolution
from .udf_calls import evaluate
from .udf_tree import has_call
from .world import World


def run_dml(statement: Dml, world: World, machines: Machines, work: Transaction) -> RowCount:
    tree = parse(statement.text, world, world.who.schema, world.who.user)
    target = _target(tree, world)
    work.lock("OBJECT", target.schema, target.name)
    if isinstance(tree, exp.Insert):
        count = _insert(tree, target, world, machines, work)
    else:
        _plain_targets(tree)
        tree = evaluate(tree, world, machines)
        note_kinds(tree, world)
        sql = to_duckdb(tree, world)
        if isinstance(tree, exp.Merge):
            _refuse_ambiguous_merge(sql, work)
        count = work.execute(sql).fetchall()[0][0]
    check_table(target, work)
    return RowCount(int(count))


def _target(tree: exp.Expr, world: World) -> CatalogObject:
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(table, exp.Table):
        raise unsupported(f"{type(tree).__name__} on this target")
    return world.objects[(table.db, table.name)]


def _plain_targets(tree: exp.Expr) -> None:
    """SET T.X = ... means column X; DuckDB takes the bare name only."""
    if tree.args.get("returning"):
        raise unsupported("RETURNING")
    for update in tree.find_all(exp.Update):
        for assignment in update.expressions:
            if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
                assignment.this.set("table", None)


def _refuse_ambiguous_merge(sql: str, work: Transaction) -> None:
    """Two source rows for one row of the target, which DuckDB does not notice on every run."""
    merge = sqlglot.parse_one(sql, dialect="duckdb")
    if not any(when.args.get("matched") for when in merge.find_all(exp.When)):
        return
    target, source, condition = merge.this, merge.args["using"], merge.args["on"]
    matches = (
        exp.select("1")
        .from_(target)
        .join(source, on=condition)
        .group_by(exp.column("rowid", table=target.alias_or_name))
        .having("COUNT(*) > 1")
        .limit(1)
    )
    if work.execute(matches.sql(dialect="duckdb")).fetchall():
        raise unstable_merge()


def _insert(
    tree: exp.Insert, target: CatalogObject, world: World, machines: Machines, work: Transaction
) -> int:
    source = tree.expression
    if source is None or tree.args.get("default"):
        raise unsupported("INSERT without VALUES or a query")
    schema = tree.this
    given = [column.name for column in schema.expressions] if isinstance(schema, exp.Schema) else []
    if isinstance(source, exp.Values):
        source = _as_query(source)
    if isinstance(source, (exp.Paren, exp.Subquery)):
        source = source.this
    if tree.args.get("with_"):
        source.set("with_", tree.args["with_"])
    compiled = compile_query(evaluate(source, world, machines), world)
    columns = chosen_columns(target, given, world)
    if len(columns) != len(compiled.columns):
        raise SqlError(
            f"not enough values or too many values: {len(columns)} columns"
            f" for {len(compiled.columns)} values"
        )
    names = ", ".join(quote(physical(column.name)) for column in columns)
    aliases = ", ".join(f"v{n}" for n in range(len(columns)))
    casts = ", ".join(_stored(f"v{n}", column) for n, column in enumerate(columns))
    path = table_path(target.schema, target.name)
    sql = f"INSERT INTO {path} ({names}) SELECT {casts} FROM ({compiled.sql}) v({aliases})"
    return int(work.execute(sql).fetchall()[0][0])


def _as_query(values: exp.Values) -> exp.Expr:
    """VALUES as a query, so that its rows may hold calls and subqueries."""
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
    if any(isinstance(v, exp.Column) and v.name == "DEFAULT" for row in rows for v in row):
        raise unsupported("DEFAULT in VALUES")
    selects: list[exp.Expr] = [
        exp.Select(expressions=[exp.alias_(v, f"V{n}", quoted=True) for n, v in enumerate(row)])
        for row in rows
    ]
    if len(selects) > 1 and not has_call(values) and not values.find(exp.Select):
        inner = exp.Values(
            expressions=[exp.Tuple(expressions=[v.copy() for v in row]) for row in rows],
            alias=exp.TableAlias(
                this=exp.to_identifier("V", quoted=True),
                columns=[exp.to_identifier(f"V{n}", quoted=True) for n in range(len(rows[0]))],
            ),
        )
        return exp.Select(expressions=[exp.Star()], from_=exp.From(this=inner))
    query = selects[0]
    for select in selects[1:]:
        query = exp.Union(this=query, expression=select, distinct=False)
    return query


def _stored(expression: str, column: ColumnDef) -> str:
    cast = f"CAST({expression} AS {duckdb_type(column.type)})"
    if column.type.name.startswith("TIMESTAMP"):
        return f"CAST(date_trunc('{resolution(column.type)}', {cast}) AS TIMESTAMP)"
    return f"NULLIF({cast}, '')" if duckdb_type(column.type) == "VARCHAR" else cast


def chosen_columns(
    target: CatalogObject, given: Sequence[str], world: World
) -> tuple[ColumnDef, ...]:
    """The columns an INSERT names, or all; raises SqlError for an unknown one."""
    if not given:
        return target.columns
    by_name = {column.name: column for column in target.columns}
    for name in given:
        if name not in by_name:
            raise not_found("object", name, *world.place(name))
    return tuple(by_name[name] for name in given)


def insert_rows(
    target: CatalogObject, columns: Sequence[ColumnDef], rows: Sequence[Row], world: World,
    work: Transaction,
) -> RowCount:  # fmt: skip
    """Rows from a client; values are converted to the columns' types."""
    if not rows:
        return RowCount(0)
    work.lock("OBJECT", target.schema, target.name)
    clean = [tuple(None if value == "" else value for value in row) for row in rows]
    kinds = [ResultColumn(column.name, column.type) for column in columns]
    table = world.temporaries.make(kinds, clean)
    names = ", ".join(quote(physical(column.name)) for column in columns)
    path = table_path(target.schema, target.name)
    work.execute(f"INSERT INTO {path} ({names}) SELECT {names} FROM temp.{quote(table)}")
    check_table(target, work)
    return RowCount(len(rows))


def check_table(target: CatalogObject, work: Transaction) -> None:
    """What DuckDB does not enforce: lengths of texts and primary keys. Raises SqlError."""
    path = table_path(target.schema, target.name)
    texts = [column for column in target.columns if column.type.size]
    if texts:
        lengths = ", ".join(f"max(length({quote(physical(column.name))}))" for column in texts)
        found = work.execute(f"SELECT {lengths} FROM {path}").fetchall()[0]
        for column, longest in zip(texts, found, strict=True):
            if longest is not None and longest > (column.type.size or 0):
                raise SqlError(
                    "data exception - string data, right truncation."
                    f" (column {column.name} of type {column.type.display()})", "22001"
                )  # fmt: skip
    keys = [quote(physical(c.name)) for c in target.columns if c.key_position is not None]
    if keys:
        by = ", ".join(keys)
        doubles = f"SELECT 1 FROM {path} GROUP BY {by} HAVING count(*) > 1 LIMIT 1"
        if work.execute(doubles).fetchall():
            raise SqlError(
                f"constraint violation - primary key ({target.name}) is not unique", "27001"
            )


def truncate(statement: Truncate, world: World, work: Transaction) -> RowCount:
    target = world.need(statement.schema, statement.name, "TABLE")
    world.rights.need("DELETE", target)
    work.lock("OBJECT", target.schema, target.name)
    path = table_path(target.schema, target.name)
    return RowCount(int(work.execute(f"DELETE FROM {path}").fetchall()[0][0]))
