"""A gRPC server that answers what it was sent: `echo_server.py KEY CHAIN`; prints its port."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

key, chain = (Path(name).read_bytes() for name in sys.argv[1:])
handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server = grpc.server(ThreadPoolExecutor(2))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("Echo", {"Say": handler})])
port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
server.start()
sys.stdout.write(f"{port}\n")
sys.stdout.flush()
sys.stdin.read()
