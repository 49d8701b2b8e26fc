"""How a script of each language becomes a process: its program, its environment, its protocol."""

from __future__ import annotations

import marshal
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exatrust_sandbox.containers import jdk
from exatrust_sandbox.containers.frames import Encode, packed
from exatrust_sandbox.containers.java_options import BadOption, Options, read_options
from exatrust_sandbox.containers.model import ScriptCall, ScriptError
from exatrust_sandbox.containers.place import Mount, Place

HERE = Path(__file__).parent
MARSHAL_VERSION = 2  # what every Python of a container reads
COMPILE_SECONDS = 60
_JAVA_LOADING = "VM error: F-UDF-CL-LIB-1125: F-UDF-CL-SL-JAVA-1000: "
_NO_JVM = f"{_JAVA_LOADING}F-UDF-CL-SL-JAVA-1028: Cannot start the JVM: unknown error (-1)"
_CACERTS = "/etc/ssl/certs/java/cacerts"
# What the client asks of a JVM (javacontainer_impl.cc: setJvmOptions), by what replaces it.
_JVM_DEFAULTS = {"-Xms": "-Xms128m", "-Xmx": "-Xmx1024m", "-Xss": "-Xss512k"}


@dataclass(frozen=True)
class Launch:
    """A command that takes three file descriptors, and how it reads what is sent to it.

    `obituary` words the end of a process that said
    nothing, from what it printed; None where there is no more to say than that it ended.
    """

    command: list[str]
    environment: dict[str, str]
    encode: Encode
    obituary: Callable[[str], str | None] = lambda printed: None


def launch(place: Place, call: ScriptCall) -> Launch:
    """Prepare a script's process. Raises ScriptError where it cannot even begin."""
    if place.image.language != "python" and not call.input_type:
        raise ScriptError(
            "VM error: the stand-in does not support adapter scripts in "
            f"{place.image.language}, only in Python"
        )
    return {"python": _python, "java": _java, "r": _r}[place.image.language](place, call)


def _base(call: ScriptCall) -> dict[str, str]:
    """What the real client sets, and no TLS variable; `%env` comes on top."""
    base = {"HOME": "/tmp", "LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    return base | dict(call.env)


def _marshalled(value: Any) -> bytes:
    return marshal.dumps(value, MARSHAL_VERSION)


def _python(place: Place, call: ScriptCall) -> Launch:
    client = Mount(HERE, "/exaudf")
    packages = place.of_image(place.image.packages_path)
    environment = {"PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1", **_base(call)}
    program = [str(place.image.program), "-S", "-s", f"{place.seen(client)}/client.py"]
    command = place.command(program, environment, [client])
    return Launch(*command, _marshalled)


def _r(place: Place, call: ScriptCall) -> Launch:
    client = Mount(HERE / "r_client", "/exaudf")
    program = [str(place.image.program), "--no-save", "--no-restore", "--no-echo"]
    program += [f"--file={place.seen(client)}/client.R", "--args"]
    # No time zone is set in a container; R warns where it cannot find out.
    environment = {"TZ": "UTC", **_base(call)}
    return Launch(*place.command(program, environment, [client]), packed)


def _java(place: Place, call: ScriptCall) -> Launch:
    options = _options(place, call)
    client = Mount(place.image.root / "exaudf", "/exaudf")
    mounts = [client, *_default_store(place)]
    path = ["/tmp"]
    if options.code.strip():
        classes = Mount(_classes(place, call, options, client), "/exaudf_script")
        mounts.append(classes)
        path.append(place.seen(classes))
    path += [place.seen(client), *options.jars]
    program = [str(place.image.program), *_jvm_arguments(place, options, path)]
    command = place.command([*program, "com.exasol.ExaWrapper"], _base(call), mounts)
    return Launch(*command, packed, _java_obituary)


def _options(place: Place, call: ScriptCall) -> Options:
    def imported(name: str) -> str:
        return place.localized(call.import_script(name))

    try:
        options = read_options(place.localized(call.code), imported)
    except BadOption as error:
        raise ScriptError(f"{_JAVA_LOADING}{error}") from error
    for jar in options.jars:
        if not place.inside(jar).exists():
            text = f"F-UDF-CL-SL-JAVA-1061: Java VM cannot find '{jar}': No such file or directory"
            raise ScriptError(_JAVA_LOADING + text)
        if not place.inside(jar).is_file():
            text = f"F-UDF-CL-SL-JAVA-1063: '{jar}' is not a regular file"
            raise ScriptError(_JAVA_LOADING + text)
    return options


def _default_store(place: Place) -> list[Mount]:
    """A JDK that does not look below /etc, as Debian's does, gets the image's truststore, too."""
    own = place.image.prefix / "lib/security/cacerts"
    if own.resolve() == Path(_CACERTS):
        return []
    return [Mount(place.image.root / _CACERTS.lstrip("/"), str(own))]


def _jvm_arguments(place: Place, options: Options, path: list[str]) -> list[str]:
    given = options.jvm
    defaults = [
        value
        for prefix, value in _JVM_DEFAULTS.items()
        if not any(prefix in option for option in given)
    ]
    seen = place.of_image(_CACERTS)
    store = [] if seen == _CACERTS else [f"-Djavax.net.ssl.trustStore={seen}"]
    script_class = options.script_class
    named = [f"-Dexasol.scriptclass={script_class}"] if script_class else []
    fixed = ["-XX:ErrorFile=/tmp/hs_err_pid%p.log", "-XX:+UseSerialGC", "-cp", ":".join(path)]
    return [*store, *named, *given, *defaults, *fixed]


def _classes(place: Place, call: ScriptCall, options: Options, client: Mount) -> Path:
    """The script's classes, compiled in the container by the container's own compiler."""
    name = str(call.meta["script_name"])
    code = f"package com.exasol;\r\n{options.code}"
    path = ":".join([place.seen(client), *options.jars])

    def compile_into(directory: Path) -> subprocess.CompletedProcess[str]:
        target = Mount(directory, "/exaudf_script", writable=True)
        program = [str(place.image.program), "-cp", path, "com.exasol.ExaCompiler"]
        command, environment = place.command(
            [*program, name, place.seen(target)], _base(replace(call, env={})), [client, target]
        )
        return subprocess.run(
            command, env=environment, input=code, capture_output=True, text=True,
            timeout=COMPILE_SECONDS,
        )  # fmt: skip

    image = place.image
    inputs = [code, name, image.version, jdk.client_digest(), *_states(place, options.jars)]
    try:
        return jdk.compiled(image.root.parent / "compiled", inputs, compile_into)
    except jdk.CannotCompile as error:
        raise ScriptError(f"{_JAVA_LOADING}F-UDF-CL-SL-JAVA-1037: \n{error}") from error


def _states(place: Place, jars: tuple[str, ...]) -> list[str]:
    files = [place.inside(jar).stat() for jar in jars]
    return [
        f"{jar} {file.st_size} {file.st_mtime_ns}" for jar, file in zip(jars, files, strict=True)
    ]


def _java_obituary(printed: str) -> str | None:
    refused = re.search(r"Could not create the Java Virtual Machine", printed)
    return _NO_JVM if refused else None
