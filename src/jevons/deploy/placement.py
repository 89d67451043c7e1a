"""Which replicas stand on which server: as many whole instances a server as it holds, or a server each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from jevons.deploy.types import Replica


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One kind of server of a pool.

    Parameters
    ----------
    replica : Replica
        What runs on it.
    rank : int
        Number of the server within its instance; 0 where an instance stands on one.
    instances : int
        Instances that it holds, or holds a part of.
    servers : int
        Servers of this kind.
    """

    replica: Replica
    rank: int
    instances: int
    servers: int

    @property
    def devices(self) -> int:
        """Accelerators in use on one server of the kind."""
        return self.instances * self.replica.devices_per_server

    @property
    def accelerators(self) -> int:
        """Accelerators in use on all of them."""
        return self.devices * self.servers


def placed(replica: Replica) -> Iterator[Server]:
    """Yield the kinds of servers that a pool needs."""
    if replica.servers > 1:
        for rank in range(replica.servers):
            yield Server(replica=replica, rank=rank, instances=1, servers=replica.instances)
        return
    each = max(replica.pool.deployment.accelerator.node_devices // replica.devices, 1)
    full, rest = divmod(replica.instances, each)
    if full:
        yield Server(replica=replica, rank=0, instances=each, servers=full)
    if rest:
        yield Server(replica=replica, rank=0, instances=rest, servers=1)


def server_count(replica: Replica) -> int:
    """Return the servers of a pool."""
    return sum(server.servers for server in placed(replica))


def per_server(replica: Replica) -> int:
    """Return the instances that a full server holds; 1 where an instance spans servers."""
    if replica.servers > 1:
        return 1
    each = max(replica.pool.deployment.accelerator.node_devices // replica.devices, 1)
    return min(each, replica.instances)


def words(replica: Replica) -> str:
    """Return what a pool is, in words for a comment."""
    pool, one = replica.pool, replica
    layout = pool.deployment.layout
    gpu = pool.deployment.accelerator.id
    servers = server_count(replica)
    name = f"{pool.role} pool, " if pool.role else ""
    copies = f", {one.copies} independent ranks each" if one.copies > 1 else ""
    total = math.prod((one.instances, one.devices))
    return f"{name}{pool.replicas} x {layout}{copies}: {total} {gpu} on {servers} server{'' if servers == 1 else 's'}"
