"""Values of SCRIPT_LANGUAGES: aliases that work, and one whose container is not there."""

BUILTIN = "PYTHON3=builtin_python3 R=builtin_r JAVA=builtin_java"
CONTAINER = (
    "{0}=localzmq+protobuf:///bfsdefault/default/slc/{0}?lang=python"
    "#buckets/bfsdefault/default/slc/{0}/exaudf/exaudfclient"
)
WORKING = f"{BUILTIN} {CONTAINER.format('PYTHON312')}"
BROKEN = f"{CONTAINER.format('ABSENT')} {WORKING}"
