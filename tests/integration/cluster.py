"""Workers on this machine, for tests: the environment of each process."""

import json
import os
import socket


def environments(workers: int) -> list[dict[str, str]]:
    """The environments of so many workers on free ports of the loopback interface.

    One process alone is no worker of a cluster, and has the environment of this one.
    """
    if workers == 1:
        return [dict(os.environ)]
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(workers)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    configurations = [
        {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        for index in range(workers)
    ]
    return [os.environ | {"TF_CONFIG": json.dumps(each)} for each in configurations]
