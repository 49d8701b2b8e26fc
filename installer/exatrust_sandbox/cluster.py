"""A whole stand-in cluster, composed: database, BucketFS, containers, endpoints.

with Sandbox(Path("sandbox"), nodes=4) as sandbox:
    pyexasol.connect(dsn=sandbox.dsn, user="sys", password=sandbox.layout.password("sys"))
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import certifi

from exatrust_sandbox import updates
from exatrust_sandbox.containers import isolation
from exatrust_sandbox.containers.image import Image
from exatrust_sandbox.containers.isolation import Isolation
from exatrust_sandbox.containers.vm import Node, Runtime
from exatrust_sandbox.database.certificate import (
    ServerCertificate,
    default_style,
    fingerprint,
    server_context,
    signed_by,
)
from exatrust_sandbox.database.engine import Engine
from exatrust_sandbox.database.server import DatabaseServer
from exatrust_sandbox.endpoints import KINDS, Endpoints
from exatrust_sandbox.layout import BUCKET, SERVICE, Configuration, Layout, SandboxError
from exatrust_sandbox.lock import DirectoryLock
from exatrust_sandbox.mock_bucketfs.model import BucketSpec
from exatrust_sandbox.mock_bucketfs.service import BucketFS
from exatrust_sandbox.pki import open_authorities
from exatrust_sandbox.settings_file import settings_text
from exatrust_sandbox.updates import build_container, build_image, update_container

__all__ = ["Sandbox", "update_container"]

HOST = "127.0.0.1"
VERSION = "8.34.0"
STALE_SECONDS = 1.0
LANGUAGES = (
    "PYTHON3=builtin_python3 JAVA=builtin_java R=builtin_r"
    " PYTHON312=localzmq+protobuf:///bfsdefault/default/slc/python312?lang=python"
    "#buckets/bfsdefault/default/slc/python312/exaudf/exaudfclient"
)
LANGUAGE_NAMES = {"python": "Python", "java": "Java", "r": "R"}
Service = TypeVar("Service")


class Sandbox:
    """A cluster kept in a directory. `nodes` counts for a new directory only."""

    def __init__(
        self,
        directory: Path,
        *,
        nodes: int | None = None,
        replication_delay: float | None = None,
    ) -> None:
        self.layout = Layout(directory.resolve())
        self._lock = DirectoryLock(self.layout.lock_file)
        self._wanted = {
            name: value
            for name, value in (("nodes", nodes), ("replication_delay", replication_delay))
            if value is not None
        }
        self._cleanup = contextlib.ExitStack()

    def start(self) -> None:
        """Bring everything up; raises SandboxError, with nothing left running."""
        self._lock.acquire()
        self._cleanup.callback(self._lock.release)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take everything down; the directory keeps the state."""
        self._cleanup.close()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        self.layout.prepare()
        self.configuration = self._configuration()
        self.isolation, self.isolation_note = isolation.probe()
        self.nodes = [Node(i, self.layout.replica(i)) for i in range(self.configuration.nodes)]
        self.authorities = open_authorities(self.layout.pki)
        self._write_public_roots()
        for alias in self.layout.aliases().values():
            for container in (alias.everywhere, *alias.nodes.values()):
                build_container(self.layout, container)
        self._start_services()
        self._remember_ports()
        self._write_settings()

    def _start_services(self) -> None:
        self.endpoints = self._up(
            lambda: Endpoints(self.authorities, self.configuration.endpoint_ports),
            Endpoints.start,
            Endpoints.stop,
        )
        self.bucketfs = self._up(self._make_bucketfs, self._start_bucketfs, BucketFS.stop)
        self.engine = self._up(self._make_engine, lambda engine: None, Engine.close)
        self.database = self._up(self._make_database, DatabaseServer.start, DatabaseServer.stop)

    def _up(
        self,
        make: Callable[[], Service],
        start: Callable[[Service], None],
        stop: Callable[[Service], None],
    ) -> Service:
        try:
            service = make()
            self._cleanup.callback(stop, service)
            start(service)
        except OSError as error:
            raise SandboxError(f"cannot start on its port: {error}") from error
        return service

    def _configuration(self) -> Configuration:
        known = self.layout.load_configuration()
        if known is None:
            return self.layout.save_configuration(Configuration(), **self._wanted)
        if self._wanted.get("nodes", known.nodes) != known.nodes:
            raise SandboxError(
                f"{self.layout.directory} holds a sandbox of {known.nodes} nodes; "
                "leave out --nodes, or take another --dir"
            )
        return known

    def _remember_ports(self) -> None:
        """Keep the ports for the next start, so that settings stay right."""
        self.configuration = self.layout.save_configuration(
            self.configuration,
            database_port=self.database.port,
            bucketfs_port=self.bucketfs.https_port,
            endpoint_ports=self.endpoints.ports,
        )

    def _make_bucketfs(self) -> BucketFS:
        spec = BucketSpec(
            BUCKET, self.layout.password("r"), self.layout.password("w"), public=False
        )
        bucketfs = BucketFS(
            self.layout.bucketfs,
            [node.buckets for node in self.nodes],
            service=SERVICE,
            buckets=[spec],
            replication_delay=self.configuration.replication_delay,
            held=self.layout.held_nodes,
            tls=server_context(self._certificate("bucketfs", self._sign_bucketfs)),
        )
        # A trap of the real one: after an overwrite the old file is served for a while.
        bucketfs.faults.stale_seconds = STALE_SECONDS
        return bucketfs

    def _start_bucketfs(self, bucketfs: BucketFS) -> None:
        bucketfs.start(http_port=None, https_port=self.configuration.bucketfs_port)

    def _make_engine(self) -> Engine:
        return Engine(
            self.layout.database_file,
            containers=self._image_of,
            runtime=Runtime(self.isolation, self.nodes),
            nodes=len(self.nodes),
            version=VERSION,
            isolation=self.isolation.value,
            sys_password=self.layout.password("sys"),
            languages=LANGUAGES,
            host_stores=self.layout.host_store,
        )

    def _make_database(self) -> DatabaseServer:
        certificate = self._certificate("database", default_style)
        self.fingerprint = certificate.fingerprint
        return DatabaseServer(
            self.engine,
            server_context(certificate),
            port=self.configuration.database_port,
            nodes=len(self.nodes),
            release_version=VERSION,
        )

    def _image_of(self, alias: str, node: int) -> Image:
        """The image a node has for an alias now: read anew, since an update may come from
        outside."""
        return build_container(self.layout, self.layout.aliases()[alias].on(node))

    def _certificate(self, name: str, make: Callable[[], ServerCertificate]) -> ServerCertificate:
        paths = self.layout.tls / f"{name}.pem", self.layout.tls / f"{name}.key"
        if not paths[1].exists():
            make().write(*paths)
        return ServerCertificate.read(*paths)

    def _sign_bucketfs(self) -> ServerCertificate:
        return signed_by(self.authorities.services, HOST, "localhost")

    def _write_public_roots(self) -> None:
        """What a company would call its default set: Mozilla's roots, here with the public CA."""
        mozilla = Path(certifi.where()).read_bytes()
        public = self.authorities.public.cert_pem.bytes()
        roots = mozilla.rstrip() + b"\n" + public
        (self.layout.pki / "public-roots.pem").write_bytes(roots)
        for node in self.nodes:
            store = self.layout.host_store(node.id)
            if not store.exists():
                store.parent.mkdir(parents=True, exist_ok=True)
                store.write_bytes(roots)

    def _write_settings(self) -> None:
        if not self.layout.settings_file.exists():
            self.layout.settings_file.write_text(settings_text(self))

    @property
    def dsn(self) -> str:
        """Address of the database with its certificate's fingerprint, as pyexasol takes it."""
        return f"{HOST}/{self.fingerprint}:{self.database.port}"

    @property
    def bucketfs_url(self) -> str:
        return f"https://{HOST}:{self.bucketfs.https_port}"

    @property
    def services_root_file(self) -> Path:
        """The CA that signed BucketFS's certificate."""
        return self.layout.pki / "services-root.pem"

    def company_fingerprint(self) -> str:
        """SHA-256 of the company's root, as its owner would read it out over the phone."""
        return fingerprint(self.authorities.company.cert_pem.bytes())

    def add_container(self, image: str, *, alias: str) -> None:
        """Give an alias without a container one, on all nodes: JAVA and R have none at first."""
        updates.add_container(self.layout, alias, image)

    def update_container(self, image: str, *, alias: str, node: int | None = None) -> str:
        """Give an alias another image, on all nodes or on one; the name of the image it had."""
        return updates.update_container(self.layout, alias, image, node)

    def trust_on_host(self, pem: bytes, *, node: int | None = None) -> None:
        """Put certificates into the truststore of all nodes, or of one, as its administrator does:
        IMPORT trusts them then, and no UDF does."""
        updates.trust_on_host(self.layout, pem, node)

    def plant_root(self, pem: bytes, *, alias: str, node: int | None = None) -> None:
        """Put certificates into all truststores of an alias's container, on all nodes or on one,
        until it is updated again."""
        updates.plant_root(self.layout, alias, pem, node)

    def description(self) -> str:
        """What a person needs to use the cluster."""
        aliases = self.layout.images_by_alias().items()
        lines = [
            f"isolation   {self._isolation_text()}",
            f"nodes       {len(self.nodes)}",
            *(f"container   {alias} -> {self._image_text(name)}" for alias, name in aliases),
            f"database    {self.dsn}  user sys",
            f"bucketfs    {self.bucketfs_url}/{BUCKET}  user w",
            f"CA file     {self.services_root_file}  (of BucketFS's certificate)",
            f"settings    {self.layout.settings_file}",
            *(f"endpoint    {self.endpoint(kind.name)}  {kind}" for kind in KINDS),
        ]
        return "\n".join(lines)

    def endpoint(self, kind: str) -> str:
        """`host:port` of an endpoint by the name of its kind."""
        return f"localhost:{self.endpoints.ports[kind]}"

    def _isolation_text(self) -> str:
        if self.isolation is Isolation.BUBBLEWRAP:
            return "bubblewrap: every UDF runs in its container's own file system"
        return f"NONE: UDFs are plain processes of this machine ({self.isolation_note})"

    def _image_text(self, name: str) -> str:
        built = build_image(self.layout, name)
        note = f" ({built.note})" if built.note else ""
        language = LANGUAGE_NAMES[built.language]
        return f"{name}: {language} {built.version}{note}"
