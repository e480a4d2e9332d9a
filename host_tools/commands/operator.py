"""Make an operator's key and the row by which boards know it."""

import json

from host_tools.errors import OK
from host_tools.operators import key as operator_key

HELP = """Make the key with which a listener or an operator signs what it tells boards, or print the row by which a
board knows it. The private key stays in its file; the row goes into operators.json in the board's folder."""
EXAMPLE = "python3 -m host_tools operator new --out operator.pem --name control-room > operators.json"


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("action", choices=("new", "show"), help="new: make a key; show: print the row of one")
    parser.add_argument("--out", "--key", dest="path", required=True, metavar="FILE", help="the private key, PEM")
    parser.add_argument("--name", default="operator", help="what people call the owner of the key")


def run(args):
    """Make or read the key and print operators.json with its one row; the exit code."""
    key = operator_key.new(args.path) if args.action == "new" else operator_key.load(args.path)
    print(json.dumps({"version": 1, "keys": [key.row(args.name)]}, indent=1))
    return OK
