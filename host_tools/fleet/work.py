"""Do the same thing for many boards: here on all cores, or on a Dask cluster; the same code, the same results."""

import json
import sys

from host_tools.errors import ToolError
from host_tools.evidence import keys
from host_tools.evidence.progress import Pace
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify

_ADVICE = "Start one with: dask scheduler, and on each machine: dask worker tcp://HOST:8786"


def judge(path, key_path, from_ms=None, to_ms=None):
    """Verify one board's folder; a mapping as `verify --json` prints it, or what made that impossible."""
    from host_tools.commands.verify import as_json

    try:
        result = verify(open_source(path), keys.load(key_path), Options(from_ms=from_ms, to_ms=to_ms))
    except ToolError as error:
        return {"error": error.message, "advice": error.advice, "holds": False, "exit_code": error.code}
    return json.loads(json.dumps(as_json(result)))


def for_each(function, places, arguments, scheduler=None, workers=None):
    """Yield (Place, function(path, *arguments)) for every board in the order given.

    `scheduler` is the address of a Dask cluster whose workers see the same folders; without it, `workers` processes.
    """
    with _open(scheduler, workers) as client:
        # One board's work is seconds: a few more in flight than cores keeps them busy without holding all results.
        yield from _ordered(client, function, places, arguments)


def _ordered(client, function, places, arguments):
    futures = client.map(lambda path: function(path, *arguments), [place.path for place in places], pure=False,
                         batch_size=64)
    for place, future in zip(places, futures):
        yield place, future.result()
        future.release()


def _open(scheduler, workers):
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        raise ToolError("Dask is not there", "Run `make setup`.") from error
    if scheduler is None:
        cluster = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")
        return _Owned(Client(cluster), cluster)
    try:
        return Client(scheduler, timeout="15s")
    except (OSError, ValueError) as error:
        raise ToolError(f"no Dask scheduler at {scheduler}: {error}", _ADVICE) from error


class _Owned:
    """A cluster of this process's own, closed with the client."""

    def __init__(self, client, cluster):
        self._client, self._cluster = client, cluster

    def __enter__(self):
        return self._client

    def __exit__(self, *_):
        self._client.close()
        self._cluster.close()


class Progress:
    """Show how far a long run has come, once it takes longer than two seconds."""

    def __init__(self, what):
        self._what, self._pace = what, Pace()

    def __call__(self, done, total):
        """Say that `done` of `total` boards are done."""
        if sys.stderr.isatty() and self._pace.due():
            end = "\r" if done < total else "\n"
            print(f"\r{self._what} {done} of {total} boards", end=end, file=sys.stderr, flush=True)
