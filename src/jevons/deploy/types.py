"""What is deployed: pools of equal replicas, the load that they carry, and the commands of one replica."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass, field

from jevons.serving import Deployment, EngineFactors

ENGINES = ("vllm", "sglang", "trtllm")
"""Engines that launch commands are written for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Equal replicas of one layout.

    Parameters
    ----------
    deployment : Deployment
        One replica.
    replicas : int
        How many there are.
    role : str
        ``prefill`` or ``decode`` of a disaggregated fleet, else empty.
    max_model_len : int
        Longest sequence that a replica is started with [tokens]; 0 for the engine's own choice.
    """

    deployment: Deployment
    replicas: int
    role: str = ""
    max_model_len: int = 0

    @property
    def accelerators(self) -> int:
        """Accelerators of all replicas."""
        return self.replicas * self.deployment.devices


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The load that a prediction was made for, which its load test repeats.

    Parameters
    ----------
    isl, osl : int
        Mean input and output tokens of a request.
    rate_req_per_s : float
        Arrivals [req/s]; 0 for a closed loop.
    users : int
        Requests kept in flight; 0 for an open load.
    requests : int
        Requests of the test.
    cv, isl_cv, osl_cv : float
        Coefficient of variation of arrival gaps and of lengths.
    seed : int
        Root of random streams.
    """

    isl: int
    osl: int
    rate_req_per_s: float = 0.0
    users: int = 0
    requests: int = 1000
    cv: float = 1.0
    isl_cv: float = 0.0
    osl_cv: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A fleet with all that its commands need.

    Parameters
    ----------
    name : str
        Short name, for files and Kubernetes objects.
    answer : str
        What was predicted of the fleet, for the README.
    checkpoint : str
        Weights to load: an id of a model hub or a path; may be overridden with the variable ``MODEL``.
    pools : tuple of Pool
        One, or a prefill and a decode pool.
    traffic : Traffic
        Load of the prediction.
    engine : str
        Engine that was predicted; Kubernetes and compose files run it.
    release : str
        Release of that engine that was asked for; empty for the newest known.
    factors : mapping of str to EngineFactors
        Limits of each engine that commands are written for.
    """

    name: str
    answer: str
    checkpoint: str
    pools: tuple[Pool, ...]
    traffic: Traffic
    engine: str
    release: str = ""
    factors: dict[str, EngineFactors] = field(default_factory=dict)

    @property
    def accelerators(self) -> int:
        """Accelerators of the fleet."""
        return sum(pool.accelerators for pool in self.pools)

    @property
    def disaggregated(self) -> bool:
        """Whether prompts and answers have pools of their own."""
        return len(self.pools) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where one process of a replica runs; each may be a shell variable.

    Parameters
    ----------
    model, port, leader : str
        Weights, HTTP port, address of the replica's first server.
    rank : str
        Number of the server within the replica.
    managed : bool
        Whether an operator adds what servers of one instance need to find each other.
    """

    model: str
    port: str = "8000"
    leader: str = "$LEADER"
    rank: str = "0"
    managed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process: program, options in order, environment, and configuration files that it reads.

    Parameters
    ----------
    program : tuple of str
        Words before the options.
    options : tuple of (str, str or None)
        Options with their dashes, and values; a switch has none.
    env : tuple of (str, str)
        Environment variables.
    files : tuple of (str, str)
        Names and texts of files beside the command.
    """

    program: tuple[str, ...]
    options: tuple[tuple[str, str | None], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    def words(self) -> list[str]:
        """Return program and options, a word each."""
        return [*self.program, *(word for pair in self.options for word in pair if word is not None)]

    def line(self) -> str:
        """Return the command for a shell, on one line."""
        return " ".join([*(f"{name}={quoted(value)}" for name, value in self.env), *map(quoted, self.words())])

    def lines(self, indent: str = "  ") -> str:
        """Return the command for a shell, an option a line."""
        parts = [" ".join(map(quoted, self.program))]
        parts += [" ".join(quoted(word) for word in pair if word is not None) for pair in self.options]
        env = "".join(f"{name}={quoted(value)} " for name, value in self.env)
        return env + f" \\\n{indent}".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """How one replica of a pool is started: a command a server, and what its engine cannot express.

    Parameters
    ----------
    pool : Pool
        Whose replica.
    engine, release : str
        Engine, and the release whose options are used.
    servers : int
        Servers that a replica spans.
    copies : int
        Processes that make up the replica, where its attention ranks are independent.
    warnings : tuple of str
        Where the command differs from the layout that was predicted, or needs something more.
    """

    pool: Pool
    engine: str
    release: str
    servers: int
    copies: int
    warnings: tuple[str, ...]

    @property
    def instances(self) -> int:
        """Engine instances of the pool, each with its own address."""
        return self.pool.replicas * self.copies

    @property
    def devices(self) -> int:
        """Accelerators of one instance."""
        return self.pool.deployment.devices // self.copies

    @property
    def devices_per_server(self) -> int:
        """Accelerators of one instance on each of its servers."""
        return self.devices // self.servers

    @property
    def label(self) -> str:
        """Name of the pool's processes."""
        return self.pool.role or "serve"


def servers_of(devices: int, per_server: int) -> int:
    """Return the fewest servers that hold an instance with as many accelerators on each."""
    servers = math.ceil(devices / per_server)
    while devices % servers:
        servers += 1
    return servers


def quoted(word: str) -> str:
    """Return a word for a shell; variables in it stay variables."""
    if "$" in word and not word.startswith("{"):
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return shlex.quote(word)
