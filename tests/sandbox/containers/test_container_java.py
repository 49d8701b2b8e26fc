"""Java scripts in a real JVM, through the UDF interface of Exasol's Java client."""

from __future__ import annotations

import datetime as dt
import subprocess
import threading
from decimal import Decimal

import pytest

from exatrust_sandbox.containers import image
from exatrust_sandbox.containers.model import Column, ScriptError
from exatrust_sandbox.containers.vm import Runtime

from .conftest import DAY, EXACT, MOMENT, NUMBER, REAL, TEXT, TRUTH, make_call, run_in

LONG = Column("L", "DECIMAL(18,0)", "DECIMAL", 18, 0)
INT = Column("I", "DECIMAL(9,0)", "DECIMAL", 9, 0)
HUGE = Column("H", "DECIMAL(36,0)", "DECIMAL", 36, 0)
RUN = "static void run(ExaMetadata meta, ExaIterator it) throws Exception"


@pytest.fixture(scope="session")
def java_image(images_dir):
    """The container of Java 17; skipped, loudly, where the machine has no JDK."""
    try:
        return image.build("java-17", images_dir)
    except image.ImageError as error:
        pytest.skip(str(error))


@pytest.fixture
def run(runtime, java_image):
    return lambda code, groups=(((1,),),), **changes: run_in(
        runtime, java_image, code, groups, **changes
    )


def emitting(*statements: str) -> str:
    return f"class SCRIPT {{ {RUN} {{ {' '.join(statements)} }} }}"


def test_a_set_script_runs_once_a_group_and_walks_its_rows(run):
    code = """
        class SCRIPT {
            static void run(ExaMetadata meta, ExaIterator it) throws Exception {
                long total = 0;
                do { total += it.getLong("N"); } while (it.next());
                it.reset();
                it.emit(total + " of " + it.size() + ", first " + it.getString(0));
            }
        }"""
    rows = run(code, [[(1,), (2,)], [(5,)]])
    assert rows == [[("3 of 2, first 1",)], [("5 of 1, first 5",)]]


def test_all_types_go_in_and_come_out_in_their_classes(run):
    columns = (INT, LONG, HUGE, EXACT, MOMENT, DAY, TRUTH, REAL, TEXT)
    row = (
        7, 10**17, 10**35, Decimal("1.50"), dt.datetime(2026, 11, 24, 1, 2, 3, 456789),
        dt.date(2026, 11, 24), True, 0.1, "zwölf \U0001f600 \"'\\\n",
    )  # fmt: skip
    code = emitting(
        "StringBuilder kinds = new StringBuilder();",
        "for (int i = 0; i < 9; i++) {",
        "  if (it.getObject(i).getClass() != meta.getInputColumnType(i)) throw new Exception();",
        "  kinds.append(it.getObject(i).getClass().getSimpleName()).append(' ');",
        "}",
        'String expected = "Integer Long BigDecimal BigDecimal Timestamp Date Boolean Double"',
        '  + " String ";',
        "if (!kinds.toString().equals(expected)) throw new Exception(kinds.toString());",
        "it.emit(it.getInteger(0), it.getLong(1), it.getBigDecimal(2), it.getBigDecimal(3),",
        "  it.getTimestamp(4), it.getDate(5), it.getBoolean(6), it.getDouble(7),",
        "  it.getString(8));",
        "it.emit(null, null, null, null, null, null, null, null, null);",
    )
    rows = run(code, [[row]], input_columns=columns, output_columns=columns)
    assert rows == [[row, (None,) * 9]]


def test_a_scalar_script_returns_a_value_for_each_row_and_learns_where_it_is(run):
    code = """
        class SCRIPT {
            static int started = 0;
            static void init(ExaMetadata meta) { started++; }
            static String run(ExaMetadata meta, ExaIterator it) throws Exception {
                return it.getInteger("N") + " " + meta.getScriptName() + " " + meta.getInputType()
                    + " " + meta.getOutputType() + " " + meta.getNodeId() + " " + started + " "
                    + meta.getScriptLanguage().startsWith("Java ");
            }
        }"""
    rows = run(code, [[(1,)], [(2,)]], input_type="SCALAR", output_type="RETURNS")
    assert rows == [[(f"{n} SCRIPT SCALAR RETURN 7 1 true",)] for n in (1, 2)]


REFUSED = [
    (0, "1", "1108: emit column 'V' is of type STRING but data given have type java.lang.Integer"),
    (0, "1L", "1109"),
    (0, "1.5", "1110"),
    (0, "new java.math.BigDecimal(1)", "1111"),
    (
        1,
        "true",
        "1112: emit column 'I' is of type INT32 but data given have type java.lang.Boolean",
    ),
    (2, '"1"', "1114: emit column 'L' is of type INT64"),
    (3, 'java.sql.Date.valueOf("2026-01-01")', "1115"),
    (4, 'java.sql.Timestamp.valueOf("2026-01-01 00:00:00")', "1116"),
    (0, "new java.util.Date()", "1117: emit column 'V' is of unsupported type java.util.Date"),
    (
        1,
        "1L << 40",
        "1143: emit column 'I' has value of 1099511627776 but column can only have max",
    ),
    (1, "1.5", "1150: emit column 'I' has a non-integer value of 1.5"),
    (2, "1.5f", "1153: emit column 'L' has a non-integer value of 1.5"),
]


def test_emit_refuses_what_a_column_does_not_take(run):
    tries = "".join(
        f"try {{ Object[] row = new Object[5]; row[{place}] = {value}; it.emit(row); }}"
        " catch (ExaDataTypeException e) { it.emit(e.getMessage(), null, null, null, null); }"
        for place, value, _ in REFUSED
    )
    told = run(emitting(tries), output_columns=(TEXT, INT, LONG, MOMENT, DAY))[0]
    for (message, *_), (_, _, expected) in zip(told, REFUSED, strict=True):
        assert message.startswith(f"E-UDF-CL-SL-JAVA-{expected}")
    with pytest.raises(ScriptError) as refused:
        run(emitting('it.emit("a", "b");'))
    assert "E-UDF-CL-SL-JAVA-1107: emit() takes exactly 1 argument (2 given)" in str(refused.value)


def test_getters_refuse_other_types_and_names_that_do_not_exist(run):
    tries = {
        'it.getInteger("V")': "1122: getInteger cannot convert column 'V' of type VARCHAR(2000)",
        "it.getDate(0)": "1134: getDate cannot convert column 'V' of type VARCHAR(2000) UTF8 to a",
        'it.getLong("X")': "1125: Column with name 'X' does not exist",
        "it.getObject(4)": "1138: Column number 4 does not exist",
        "meta.getOutputColumnName(1)": "1089: Column number 1 does not exist",
        "it.next(); it.next(); it.getString(0)": "1139: Iteration finished",
    }
    body = "".join(
        f"try {{ {code}; it.emit((Object) null); }}"
        " catch (ExaDataTypeException | ExaIterationException error)"
        " { it.emit(error.getMessage()); }"
        for code in tries
    )
    told = run(emitting(body), [[("text",)]], input_columns=(TEXT,))[0]
    for (message,), expected in zip(told, tries.values(), strict=True):
        assert message.startswith(f"E-UDF-CL-SL-JAVA-{expected}")


def test_a_value_is_cut_at_nul_and_the_empty_text_is_null(run):
    assert run(emitting('it.emit("ab\\0cd"); it.emit("");')) == [[("ab",), (None,)]]


def test_scalar_context_forbids_next_and_returns_forbids_emit(run):
    with pytest.raises(ScriptError, match="1102: next"):
        run(emitting("it.next();"), input_type="SCALAR")
    code = "class SCRIPT { static String run(ExaMetadata m, ExaIterator it) throws Exception {"
    with pytest.raises(ScriptError, match="1106: emit"):
        run(code + ' it.emit("x"); return "x"; } }', output_type="RETURNS")


def test_an_exception_is_told_with_its_codes_and_the_script_s_frames(run):
    with pytest.raises(ScriptError) as failed:
        run(emitting('throw new IllegalStateException("no luck");'))
    assert str(failed.value).startswith(
        "VM error: F-UDF-CL-LIB-1127: F-UDF-CL-SL-JAVA-1002: F-UDF-CL-SL-JAVA-1013: \n"
        "com.exasol.ExaUDFException: F-UDF-CL-SL-JAVA-1080: Exception during run \n"
        "java.lang.IllegalStateException: no luck\n"
        "com.exasol.SCRIPT.run(SCRIPT.java:2)\n"
    )
    assert "jdk.internal.reflect" not in str(failed.value)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("class SCRIPT { int }", "LIB-1125: F-UDF-CL-SL-JAVA-1000: F-UDF-CL-SL-JAVA-1037:"),
        ("class OTHER {}", "The main script class (same name as the script) cannot be found: c"),
        ("%scriptclass com.exasol.GONE;\nclass A {}", "defined via %scriptclass cannot be found"),
        ("class SCRIPT {}", "java.lang.NoSuchMethodException: com.exasol.SCRIPT.run("),
        ("class SCRIPT { static int run(ExaMetadata m, ExaIterator i) { return 1; } }", "1076: EM"),
        ("%jar /buckets/bfsdefault/default/no.jar;\nclass SCRIPT {}", "1061: Java VM cannot find"),
        ("%jvmoption -XX:Nonsense=1;\nclass SCRIPT {}", "1028: Cannot start the JVM: unknown err"),
        ("%jvmoption -cp /tmp;\nclass SCRIPT {}", "1028: Cannot start the JVM: unknown error"),
        ("%wish x;\nclass SCRIPT {}", "F-UDF-CL-SL-JAVA-1622 Unexpected option: wish"),
        ("%scriptclass a;\n%scriptclass b;\nclass SCRIPT {}", "found 2 instances for script"),
        ("\n%jar /x\nclass SCRIPT {}", "Error parsing script options at line 2"),
        (emitting("System.exit(3);"), "VM crashed (exit status 3)"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_an_error_that_says_why(run, code, told):
    with pytest.raises(ScriptError) as failed:
        run(code)
    assert told in str(failed.value)


def test_options_name_the_class_the_jars_and_what_the_machine_is_given(
    run, node, java_image, tmp_path
):
    source = tmp_path / "Helper.java"
    source.write_text(
        'package lib; public class Helper { public static String say() { return "1"; } }'
    )
    tools = java_image.prefix / "bin"
    subprocess.run([tools / "javac", "-d", tmp_path / "out", source], check=True)
    jar = node.buckets / "bfsdefault/default/helper.jar"
    subprocess.run([tools / "jar", "cf", jar, "-C", tmp_path / "out", "."], check=True)
    code = (
        "%scriptclass com.exasol.Own;\n"
        "%jar /buckets/bfsdefault/default/helper.jar;\n"
        "%jvmoption -Da=1 -Db=two\\ words;\n"
        "import lib.Helper;\n"
        f'class Own {{ {RUN} {{ it.emit(Helper.say() + System.getProperty("a")'
        ' + System.getProperty("b") + System.getenv("E")); } }'
    )
    assert run(code, env={"E": "env"}) == [[("11two wordsenv",)]]


def test_a_jar_can_be_all_there_is_to_a_script(run, node, java_image, tmp_path):
    source = tmp_path / "Main.java"
    source.write_text(
        "package own; import com.exasol.*; public class Main {"
        f' public {RUN} {{ it.emit("from the jar"); }} }}'
    )
    tools = java_image.prefix / "bin"
    out = tmp_path / "out"
    subprocess.run(
        [tools / "javac", "-cp", java_image.root / "exaudf", "-d", out, source], check=True
    )
    jar = node.buckets / "bfsdefault/default/main.jar"
    subprocess.run([tools / "jar", "cf", jar, "-C", out, "."], check=True)
    code = "%scriptclass own.Main;\n%jar /buckets/bfsdefault/default/main.jar;\n"
    assert run(code) == [[("from the jar",)]]


def test_other_scripts_are_imported_by_option_and_by_call(run):
    other = 'class OTHER { static String say() { return "there"; } }'
    with_options = f"%scriptclass com.exasol.Nobody;\n{other}"
    by_option = "%import OTHER;\n" + emitting("it.emit(OTHER.say());")
    by_call = emitting(
        'it.emit((String) meta.importScript("OTHER").getDeclaredMethod("say").invoke(null));'
    )
    assert run(by_option, import_script=lambda name: with_options) == [[("there",)]]
    assert run(by_call, import_script=lambda name: other) == [[("there",)]]


def test_a_connection_is_handed_over_or_refused_with_the_database_s_words(run):
    known = {"type": "password", "address": "https://x", "user": "u", "password": "p"}

    def connection(name):
        if name != "C":
            raise ScriptError(f"connection {name} does not exist")
        return known

    code = emitting(
        'ExaConnectionInformation c = meta.getConnection("c");',
        "it.emit(c.getType() + c.getAddress() + c.getUser() + c.getPassword());",
        'try { meta.getConnection("d"); } catch (ExaConnectionAccessException error)',
        "{ it.emit(error.getMessage()); }",
    )
    assert run(code, get_connection=connection) == [
        [("PASSWORDhttps://xup",), ("E-UDF-CL-SL-JAVA-1099: connection D does not exist",)]
    ]


def test_classes_are_compiled_once_for_a_text_and_anew_for_another(run, java_image):
    kept = java_image.root.parent / "compiled"
    code = emitting('it.emit("compiled once");')
    run(code)
    before = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    run(code)
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == before
    run(emitting('it.emit("compiled twice");'))
    assert len(list(kept.iterdir())) == len(before) + 1


def test_the_container_has_its_own_truststore_and_nothing_of_the_machine(isolated, java_image):
    code = emitting(
        "javax.net.ssl.TrustManagerFactory f =",
        "  javax.net.ssl.TrustManagerFactory.getInstance(",
        "    javax.net.ssl.TrustManagerFactory.getDefaultAlgorithm());",
        "f.init((java.security.KeyStore) null);",
        "int known = ((javax.net.ssl.X509TrustManager) f.getTrustManagers()[0])",
        "  .getAcceptedIssuers().length;",
        'it.emit(known + " " + java.util.Arrays.toString(new java.io.File("/usr/lib/jvm").list()',
        ') + new java.io.File("/root").exists() + System.getProperty("user.home"));',
    )
    with pytest.raises(ScriptError):
        run_in(isolated, java_image, emitting('new java.io.FileWriter("/usr/x");'))
    ((text,),) = run_in(isolated, java_image, code)[0]
    known = len(list((java_image.root / "etc/ssl/certs").glob("????????????????.pem")))
    assert text.startswith(f"{known} [{java_image.prefix.name}]false")


def test_a_plain_process_reads_the_image_s_truststore_and_the_node_s_bucket(java_image, node):
    from exatrust_sandbox.containers.isolation import Isolation

    code = emitting(
        'it.emit(System.getProperty("javax.net.ssl.trustStore") + " " + new String(',
        '  new java.io.FileInputStream("/buckets/bfsdefault/default/file.txt").readAllBytes()));',
    )
    plain = Runtime(Isolation.NONE, [node])
    call = make_call(code)
    ((text,),) = plain.run(7, java_image, call, [[(1,)]], threading.Event())[0]
    assert text == f"{java_image.root}/etc/ssl/certs/java/cacerts from the bucket"


def test_many_rows_go_in_and_out(run):
    code = emitting("do { it.emit(it.getLong(0)); } while (it.next());")
    rows = [(n,) for n in range(5000)]
    assert run(code, [rows], output_columns=(NUMBER,)) == [rows]
