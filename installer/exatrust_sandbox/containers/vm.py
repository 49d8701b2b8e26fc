"""The virtual machines of UDFs: what the database calls."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict

from exatrust_sandbox.containers.image import Image
from exatrust_sandbox.containers.isolation import Isolation
from exatrust_sandbox.containers.launch import launch
from exatrust_sandbox.containers.model import Column, Node, Row, ScriptCall, ScriptError
from exatrust_sandbox.containers.place import Bubblewrap, Place, Plain
from exatrust_sandbox.containers.process import Conversation, Process

__all__ = ["Column", "Node", "Runtime", "ScriptCall", "ScriptError"]


class Runtime:
    """Runs scripts: one process is one virtual machine on one node. Safe to use from threads.

    Without isolation a script is a plain process: it sees this machine's files, /etc among them.
    Paths under /buckets are then rewritten to the node's replica in its text, its arguments and
    its environment, and SSL_CERT_FILE and SSL_CERT_DIR point to the image's truststores.
    """

    def __init__(self, isolation: Isolation, nodes: Sequence[Node]) -> None:
        self.isolation = isolation
        self._nodes = {node.id: node for node in nodes}

    def run(
        self,
        node_id: int,
        image: Image,
        call: ScriptCall,
        groups: Sequence[Sequence[Row]],
        cancelled: threading.Event,
    ) -> list[list[Row]]:
        """Run the script over the groups, in order; the rows each group emitted.

        For a SCALAR script every input row is a group of its own. Raises ScriptError with the
        text a user sees when the script fails, dies, or is cancelled.
        """
        node = self._nodes[node_id]
        place: Place = Bubblewrap(node, image) if self._isolated else Plain(node, image)
        launched = launch(place, call)
        with Process(launched.command, launched.environment, launched.encode) as process:
            meta = {**call.meta, "node_id": node_id, "vm_id": process.id}
            request = place.localized(_request(call, meta))
            rows = [[place.localized(row) for row in group] for group in groups]
            conversation = Conversation(process, call, cancelled, launched.obituary)
            return conversation.hold(request, rows)

    @property
    def _isolated(self) -> bool:
        return self.isolation is Isolation.BUBBLEWRAP


def _request(call: ScriptCall, meta: dict[str, object]) -> dict[str, object]:
    """What the client needs to know before the first row."""
    return {
        "code": call.code,
        "input_type": call.input_type,
        "output_type": call.output_type,
        "inputs": [asdict(column) for column in call.input_columns],
        "outputs": [asdict(column) for column in call.output_columns],
        "meta": meta,
    }
