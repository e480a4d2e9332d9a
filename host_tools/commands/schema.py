"""`schema`: write the JSON Schema of site.json from the table that the firmware validates with."""

import json
from pathlib import Path

from firmware.site.schema import ENUM, INT, LIST, OPTIONAL, PROFILE, REQUIRED, ROWS
from host_tools.toolchain import build_info, paths

HELP = "print the JSON Schema of site.json, or write it beside the firmware's own table"
EXAMPLE = "python3 -m host_tools schema > site.schema.json"
PATH = Path(__file__).resolve().parents[2] / "firmware" / "site" / "site.schema.json"


def add_arguments(parser):
    """Declare the arguments."""
    parser.add_argument("--write", action="store_true", help=f"write firmware/site/{PATH.name} instead of printing")


def run(args):
    """Print or write the schema; exit code 0."""
    text = json.dumps(schema(), indent=1) + "\n"
    if args.write:
        PATH.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


def schema():
    """Return the JSON Schema (draft 2020-12) of site.json as a dict."""
    root = _object()
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    root["title"] = "Evenkeel site.json: the one description of a site"
    for row in ROWS:
        _place(root, row)
    return root


def _object():
    return {"type": "object", "additionalProperties": False, "properties": {}, "required": []}


def _place(root, row):
    *parents, key = row[0].split(".")
    node = root
    for name in parents:
        if name.endswith("[]"):
            node = node["properties"][name[:-2]]["items"]
        else:
            node = node["properties"].setdefault(name, _object())
    node["properties"][key] = _member(row)
    if row[4] is REQUIRED:
        node["required"].append(key)
        _require_parents(root, parents)


def _require_parents(root, parents):
    """An object with a required member is itself required."""
    node = root
    for name in parents:
        bare = name.removesuffix("[]")
        if bare not in node["required"]:
            node["required"].append(bare)
        node = node["properties"][bare]
        node = node["items"] if name.endswith("[]") else node


def _member(row):
    _, kind, low, high, default, unit, meaning = row
    text = f"{meaning} ({unit})" if unit and kind == INT else meaning
    if kind == LIST:
        return {"type": "array", "minItems": low, "maxItems": high, "description": text, "items": _object()}
    if kind == ENUM:
        member = {"enum": list(low), "description": text}
    elif kind == INT:
        member = {"type": "integer", "minimum": low, "maximum": high, "description": text}
        if unit:
            member["x-unit"] = unit
    else:
        member = {"type": "string", "minLength": low, "maxLength": high, "description": text}
        if row[0] == PROFILE:
            member["pattern"] = "^[a-z0-9_]+$"
            member["examples"] = [name for kind in ("meters", *build_info.KINDS)
                                  for name in build_info.profiles(paths.ROOT, kind)]
        elif row[0] != "site.name":
            member["pattern"] = "^[A-Za-z0-9._-]+$"  # ids stand in the checkpoint's origin
    if default is not REQUIRED and default is not OPTIONAL:
        member["default"] = default
    return member
