"""Rules of site.json that no single key can state: roles, addresses, buses and ratings that must fit each other."""

from firmware.core.errors import ConfigError

_REQUIRED_ROLES = ("load", "grid", "pcs")
_METERED = {"wind_limit": "wind", "pv_limit": "pv", "genset_control": "genset"}  # what is commanded is measured too


def check_whole(config):
    """Refuse a site whose parts do not fit together. Raises ConfigError naming the key."""
    _check_buses(config["buses"])
    _check_devices(config)
    _check_roles(config)
    limits = config["limits"]
    if limits["soc_min_permille"] >= limits["soc_max_permille"]:
        _refuse("limits.soc_min_permille", "%d is not below limits.soc_max_permille (%d)"
                % (limits["soc_min_permille"], limits["soc_max_permille"]))
    ratings = config["ratings"]
    for key in ("grid_import_w", "grid_export_w"):
        if limits[key] > ratings["grid_w"]:
            _refuse("limits." + key, "%d W is above ratings.grid_w (%d W)" % (limits[key], ratings["grid_w"]))


def _check_buses(buses):
    for i in range(len(buses)):
        for j in range(i):
            for key in ("id", "uart"):
                if buses[i][key] == buses[j][key]:
                    _refuse("buses[%d].%s" % (i, key), "%d is taken by buses[%d]; each bus needs its own"
                            % (buses[i][key], j))


def _check_devices(config):
    known = [bus["id"] for bus in config["buses"]]
    seen = {}
    for i, device in enumerate(config["devices"]):
        path = "devices[%d]" % i
        if device["bus"] not in known:
            _refuse(path + ".bus", "there is no bus %d; allowed: %s"
                    % (device["bus"], ", ".join(str(b) for b in known)))
        address = (device["bus"], device["unit"])
        if address in seen:
            _refuse(path + ".unit", "bus %d unit %d is taken by devices[%d]; give each device its own address"
                    % (device["bus"], device["unit"], seen[address]))
        seen[address] = i


def _check_roles(config):
    roles = [device["role"] for device in config["devices"]]
    for role in _REQUIRED_ROLES:
        if role not in roles:
            _refuse("devices", "no device has the role %s; every site needs %s" % (role, ", ".join(_REQUIRED_ROLES)))
    for i, role in enumerate(roles):
        if role in roles[:i]:
            _refuse("devices[%d].role" % i, "%s is already the role of devices[%d]" % (role, roles.index(role)))
    for role in ("wind", "pv", "genset"):
        key = "ratings.%s_w" % role
        rated = config["ratings"][role + "_w"] > 0
        if rated and role not in roles:
            _refuse("devices", "%s is above 0 but no device has the role %s; add its meter" % (key, role))
        if role in roles and not rated:
            _refuse(key, "must be above 0, since a device has the role %s" % role)
    for role in _METERED:
        if role in roles and _METERED[role] not in roles:
            _refuse("devices", "the role %s needs a device with the role %s; add its meter" % (role, _METERED[role]))


def check_soc(devices, pcs_knows):
    """Refuse a site without a source for the state of charge; `pcs_knows` tells whether its PCS has it."""
    roles = [device["role"] for device in devices]
    if not pcs_knows and "bms" not in roles:
        i = roles.index("pcs")
        _refuse("devices[%d].profile" % i, "%s knows no state of charge; add a device with the role bms"
                % devices[i]["profile"])


def check_uarts(buses, board, count):
    """Refuse a bus on a UART that the board, named so, does not have."""
    for i, bus in enumerate(buses):
        if bus["uart"] >= count:
            _refuse("buses[%d].uart" % i, "%s has no UART %d; allowed: 0 to %d" % (board, bus["uart"], count - 1))


def _refuse(path, text):
    raise ConfigError("CONFIG", "%s: %s" % (path, text))
