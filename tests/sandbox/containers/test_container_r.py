"""R scripts in a real R, through the UDF interface of Exasol's R client."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from exatrust_sandbox.containers import image
from exatrust_sandbox.containers.model import Column, ScriptError

from .conftest import DAY, EXACT, MOMENT, NUMBER, REAL, TEXT, TRUTH, run_in

INT = Column("I", "DECIMAL(9,0)", "DECIMAL", 9, 0)


@pytest.fixture(scope="session")
def r_image(images_dir):
    """The container of R 4; skipped, loudly, where the machine has no R."""
    try:
        return image.build("r-4", images_dir)
    except image.ImageError as error:
        pytest.skip(str(error))


@pytest.fixture
def run(runtime, r_image):
    return lambda code, groups=(((1,),),), **changes: run_in(
        runtime, r_image, code, groups, **changes
    )


def test_a_set_script_runs_once_a_group_and_walks_its_rows(run):
    code = """
        run <- function(ctx) {
            total <- 0
            repeat {
                total <- total + ctx$N
                if (!ctx$next_row()) break
            }
            ctx$reset()
            ctx$emit(paste(total, "of", ctx$size(), "first", ctx$N))
        }"""
    rows = run(code, [[(1,), (2,)], [(5,)]])
    assert rows == [[("3 of 2 first 1",)], [("5 of 1 first 5",)]]


def test_all_rows_of_a_group_come_at_once_as_vectors_and_go_so(run):
    code = "run <- function(ctx) { ctx$next_row(NA); ctx$emit(ctx$N * 2) }"
    rows = [(n,) for n in range(3000)]
    assert run(code, [rows], output_columns=(NUMBER,)) == [[(2 * n,) for n in range(3000)]]


def test_all_types_go_in_and_come_out(run):
    columns = (INT, NUMBER, EXACT, MOMENT, DAY, TRUTH, REAL, TEXT)
    row = (
        7, 10**12, Decimal("1.50"), dt.datetime(2026, 11, 24, 1, 2, 3, 456000),
        dt.date(2026, 11, 24), True, 0.1, "zwölf \U0001f600 \"'\\\n",
    )  # fmt: skip
    code = """
        run <- function(ctx) {
            kinds <- vapply(exa$meta$input_columns, function(c) class(ctx[[c$name]]())[1], "")
            expected <- c("integer", "numeric", "numeric", "POSIXlt", "POSIXlt", "logical",
                          "numeric", "character")
            stopifnot(identical(kinds, expected))
            ctx$emit(ctx$I, ctx$N, ctx$E, ctx$T, ctx$D, ctx$B, ctx$R, ctx$V)
            ctx$emit(NA, NA, NA, NA, NA, NA, NA, NA)
        }"""
    rows = run(code, [[row]], input_columns=columns, output_columns=columns)
    assert rows == [[row, (None,) * 8]]


def test_null_arrives_as_na(run):
    code = "run <- function(ctx) ctx$emit(as.character(is.na(ctx$N)))"
    assert run(code, [[(None,)]]) == [[("TRUE",)]]


def test_a_scalar_script_returns_a_value_for_each_row_and_learns_where_it_is(run):
    code = """
        started <- 0
        run <- function(ctx) {
            started <<- started + 1
            paste(ctx$N, started, exa$meta$script_name, exa$meta$input_type,
                  exa$meta$output_type, exa$meta$node_id, exa$meta$output_columns[[1]]$length)
        }"""
    rows = run(code, [[(1,)], [(2,)]], input_type="SCALAR", output_type="RETURNS")
    assert rows == [[(f"{n} {n} SCRIPT SCALAR RETURN 7 2000",)] for n in (1, 2)]


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        (TEXT, "1", "F-UDF.CL.SL.R-1041: Value for column V is not of type character"),
        (INT, '"1"', "F-UDF.CL.SL.R-1039: Value for column I is not of type integer"),
        (REAL, '"1"', "F-UDF.CL.SL.R-1037: Value for column R is not of type double"),
        (TRUTH, "1", "F-UDF.CL.SL.R-1043: Value for column B is not of type logical"),
        (TEXT, '"a", "b"', "argument count (2) must match the number of output columns (1)"),
        (TEXT, "character()", "emitting empty vectors not supported"),
    ],
)
def test_emit_refuses_what_a_column_does_not_take(run, column, value, told):
    with pytest.raises(ScriptError) as refused:
        run(f"run <- function(ctx) ctx$emit({value})", output_columns=(column,))
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("run <- function(ctx) stop('no luck')", "1127: Error in run(context) : no luck"),
        ("run <- function(ctx) {", "F-UDF-CL-LIB-1125: Error in parse("),
        ("stop('at once')", "F-UDF-CL-LIB-1125: Error in eval("),
        ("walk <- 1", 'could not find function "run"'),
        ("run <- function(ctx) quit('no', 3)", "VM crashed (exit status 3)"),
        ("run <- function(ctx) library(nonsense)", "there is no package called"),
    ],
)
def test_what_cannot_run_is_an_error_that_says_why(run, code, told):
    with pytest.raises(ScriptError) as failed:
        run(code)
    assert told in str(failed.value)


def test_a_connection_another_script_and_the_environment_reach_a_script(run):
    known = {"type": "password", "address": "https://x", "user": "u", "password": "p"}
    code = """
        other <- exa$import_script("OTHER")
        run <- function(ctx) {
            c <- exa$get_connection("C")
            ctx$emit(paste(c$type, c$address, c$user, c$password, other$say(), Sys.getenv("E"),
                           Sys.getenv("HOME"), Sys.getenv("CURL_CA_BUNDLE")))
        }"""
    rows = run(
        code, env={"E": "env"}, get_connection=lambda name: known,
        import_script=lambda name: "say <- function() exa$meta$script_name",
    )  # fmt: skip
    assert rows == [[("password https://x u p SCRIPT env /tmp ",)]]

    def refused(name):
        raise ScriptError(f"connection {name} does not exist")

    with pytest.raises(ScriptError, match="connection C does not exist"):
        run(code, get_connection=refused, import_script=lambda name: "say <- identity")


def test_cleanup_runs_at_the_end_and_prints_disturb_nothing(run):
    code = """
        run <- function(ctx) { cat("noise\\n"); message("more"); ctx$emit("quiet") }
        cleanup <- function() cat("bye\\n")"""
    assert run(code) == [[("quiet",)]]


def test_the_container_has_its_own_files(isolated, r_image):
    code = """
        run <- function(ctx) ctx$emit(paste(
            file.exists("/root"), file.exists("/etc/ssl/certs/ca-certificates.crt"),
            inherits(try(file("/usr/x", "w"), silent = TRUE), "try-error"),
            readLines("/buckets/bfsdefault/default/file.txt", warn = FALSE)))"""
    assert run_in(isolated, r_image, code) == [[("FALSE TRUE TRUE from the bucket",)]]
