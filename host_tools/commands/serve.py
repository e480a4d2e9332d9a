"""Show the boards of a listener's store on a web page."""

import ipaddress
import sys
import tempfile

from host_tools.errors import OK, ToolError, read_bytes

HELP = """Show the boards of a listener's store on a web page: what feeds the load now, what goes in and out of the
battery and its carbon, set point against load, why, events, verdicts, the fleet. It only shows; nothing can be written.
On this machine alone unless --host says otherwise, and then only with --token-file."""
EXAMPLE = "python3 -m host_tools serve --store sqlite:///build/store.db --keys keys.json"
_TOKEN_LEAST = 16


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("--store", required=True, metavar="URL", help="the listener's store")
    parser.add_argument("--keys", metavar="FILE", help="public keys of the boards, to show verdicts")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default 127.0.0.1: this machine)")
    parser.add_argument("--port", type=int, default=8080, help="port to serve on (default 8080)")
    parser.add_argument("--token-file", metavar="FILE", help="whoever reads must show the token in this file")


def run(args):
    """Serve until interrupted; the exit code."""
    import uvicorn

    from host_tools.evidence import keys
    from host_tools.serve.app import application
    from host_tools.serve.live import Live

    token = _token(args)
    if args.keys:
        keys.load(args.keys)  # a mistake in it is to be said now
    with tempfile.TemporaryDirectory(prefix="evenkeel-serve-") as cache:
        live = Live(args.store, args.keys, cache)
        live.start()
        print(f"serve: http://{args.host}:{args.port}/" + ("?token=..." if token else "") + "; Ctrl-C ends it",
              file=sys.stderr, flush=True)
        try:
            uvicorn.run(application(live, token), host=args.host, port=args.port, log_level="warning",
                        timeout_graceful_shutdown=2)
        except SystemExit as stopped:  # the address is taken; uvicorn has said so
            raise ToolError(f"cannot serve on {args.host}:{args.port}", "Choose a free --port.") from stopped
        finally:
            live.stop()
    return OK


def _token(args):
    if args.token_file:
        token = read_bytes(args.token_file, "token file").decode("latin-1").strip()
        if len(token) < _TOKEN_LEAST or not token.isascii():
            raise ToolError("the token is too short or not ASCII", f"Give at least {_TOKEN_LEAST} characters.")
        return token
    if not _loopback(args.host):
        raise ToolError(f"{args.host} can be reached by others", "Give --token-file too, or leave --host away.")
    return None


def _loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
