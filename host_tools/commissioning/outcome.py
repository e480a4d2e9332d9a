"""What a commissioning run leaves behind: the site description with what was measured, and proposals to correct it."""

import copy
import json

SECTION = "commissioning"


def measured(results, at_s):
    """Return the commissioning section of site.json: what was measured, by its key."""
    section = {} if at_s is None else {"at_s": at_s}
    for row in results:
        if row["key"] and row["value"] is not None:
            section[row["key"]] = row["value"]
    return section


def proposals(config, results):
    """Return [(path in site.json, old value, new value)] that would correct what was found."""
    found = []
    devices = config["devices"]
    places = {device["role"]: i for i, device in enumerate(devices)}
    swapped = []
    for row in results:
        if row["step"] != "direction" or row["role"] not in places:
            continue
        i = places[row["role"]]
        if row["code"] == "CT_REVERSED":
            old = devices[i].get("invert", 0)
            found.append((f"devices[{i}].invert", old, 1 - old))
        elif row["code"] == "ROLE_SWAPPED":
            swapped.append(i)
    if len(swapped) == 2:
        # Roles, and not addresses: the devices may be of different profiles, on different buses.
        a, b = swapped
        found.append((f"devices[{a}].role", devices[a]["role"], devices[b]["role"]))
        found.append((f"devices[{b}].role", devices[b]["role"], devices[a]["role"]))
    return found


def site_copy(config, results, at_s, apply):
    """Return site.json's content with the measured section, and with the proposals in it if `apply`."""
    new = copy.deepcopy(config)
    section = measured(results, at_s)
    if len(section) > 1:
        new[SECTION] = {**new.get(SECTION, {}), **section}
    if apply:
        for path, _, value in proposals(config, results):
            index, key = path.removeprefix("devices[").split("].")
            new["devices"][int(index)][key] = value
    return new


def write(path, config):
    """Write a site description as people read it."""
    path.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
