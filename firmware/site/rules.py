"""Rules of site.json that no single key can state: roles, addresses, buses and ratings that must fit each other."""

from firmware.core.errors import ConfigError

_SECOND_MS = 1000
_REQUIRED_ROLES = ("load", "grid", "pcs")  # but for the grid, where island.former says who forms one
_METERS = ("load", "grid", "pcs", "wind", "pv", "genset")  # by role
_INPUTS = _METERS + ("bms",)
_METERED = {"wind_limit": "wind", "pv_limit": "pv", "genset_control": "genset"}  # what is commanded is measured too


def check_whole(config):
    """Refuse a site whose parts do not fit together. Raises ConfigError naming the key."""
    _check_buses(config["buses"])
    _check_devices(config)
    _check_roles(config)
    _check_backup(config)
    _check_dispatch(config)
    _check_period(config)
    _check_counters(config)
    _check_uplink(config)
    limits = config["limits"]
    if limits["soc_min_permille"] >= limits["soc_max_permille"]:
        _refuse("limits.soc_min_permille", "%d is not below limits.soc_max_permille (%d)"
                % (limits["soc_min_permille"], limits["soc_max_permille"]))
    ratings = config["ratings"]
    for key in ("grid_import_w", "grid_export_w"):
        if limits[key] > ratings["grid_w"]:
            _refuse("limits." + key, "%d W is above ratings.grid_w (%d W)" % (limits[key], ratings["grid_w"]))


def _check_counters(config):
    """Refuse a counter without its bus, two of a kind, and fuel without a genset that burns it."""
    rows, known = config["counters"] or (), [bus["id"] for bus in config["buses"]]
    for i, row in enumerate(rows):
        path = "counters[%d]" % i
        if row["bus"] not in known:
            _refuse(path + ".bus", "there is no bus %d; allowed: %s" % (row["bus"], ", ".join(str(b) for b in known)))
        if row["what"] in [other["what"] for other in rows[:i]]:
            _refuse(path + ".what", "%s is counted twice" % row["what"])
        if row["what"] == "fuel" and not config["ratings"]["genset_w"]:
            _refuse(path + ".what", "fuel needs a genset; give ratings.genset_w and its meter")


def _check_uplink(config):
    uplink = config["uplink"]
    if uplink["host"] is None:
        config["uplink"] = None
    elif uplink["retry_max_s"] < uplink["retry_s"]:
        _refuse("uplink.retry_max_s", "%d is below uplink.retry_s (%d)" % (uplink["retry_max_s"], uplink["retry_s"]))


def _check_period(config):
    """Refuse times that a long control period cannot keep: what is read and sent once a period must last for more."""
    control = config["control"]
    period_ms = control["period_ms"]
    if period_ms <= _SECOND_MS:
        return
    for path, value, periods, unit_ms in (("control.stale_ms", control["stale_ms"], 2, 1),
                                          ("control.frozen_ms", control["frozen_ms"], 4, 1),
                                          ("pcs.reversion_s", config["pcs"]["reversion_s"], 2, 1000)):
        least = (periods * period_ms + unit_ms - 1) // unit_ms + 1
        if value < least:
            _refuse(path, "%d is less than %d periods of control.period_ms (%d ms); give at least %d"
                    % (value, periods, period_ms, least))


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
        if device["on_stale"] != "form" and device["role"] not in _INPUTS:
            _refuse(path + ".on_stale", "the role %s is no input; give it to %s" % (device["role"], ", ".join(_INPUTS)))


def _check_roles(config):
    roles = [device["role"] for device in config["devices"]]
    for role in _REQUIRED_ROLES:
        if role not in roles and (role != "grid" or config["island"]["former"] == "none"):
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


def _check_dispatch(config):
    """Refuse what cannot be dispatched; forget what a site has not that leaves its battery to the tracker."""
    dispatch, limits = config["dispatch"], config["limits"]
    if dispatch["carbon"] == "day_ahead" and config["control"]["policy"] != "self_consumption":
        _refuse("dispatch.carbon", "day_ahead needs control.policy self_consumption")
    if dispatch["reserve"] == "off" and dispatch["carbon"] == "off" and limits["demand_w"] is None:
        config["dispatch"] = None


def _check_backup(config):
    """Refuse start and stop values that can never be reached; forget what a site without island or genset has not."""
    if config["island"]["former"] == "none":
        config["island"] = None
    elif config["island"]["former"] == "genset" and not config["ratings"]["genset_w"]:
        _refuse("island.former", "genset needs a device with the role genset; add its meter, or give pcs")
    if "genset_control" not in [device["role"] for device in config["devices"]]:
        config["genset"] = None
        return
    if config["island"] is None:
        _refuse("island.former", "is none, but a device has the role genset_control; give pcs or genset")
    genset, limits = config["genset"], config["limits"]
    charged = (limits["soc_max_permille"] - 10, "the last percent below limits.soc_max_permille, where charging fades")
    ways = (("quiet_soc_start_permille", genset["quiet_soc_stop_permille"], "genset.quiet_soc_stop_permille"),
            ("soc_start_permille", genset["soc_stop_permille"], "genset.soc_stop_permille"),
            ("quiet_soc_start_permille", genset["soc_start_permille"] + 1, "genset.soc_start_permille"),
            ("soc_stop_permille",) + charged, ("quiet_soc_stop_permille",) + charged,
            ("min_load_permille", genset["load_permille"] + 1, "genset.load_permille"),
            ("load_permille", genset["max_load_permille"] + 1, "genset.max_load_permille"))
    for key, below, name in ways:
        if genset[key] >= below:
            _refuse("genset." + key, "%d does not lie below %s" % (genset[key], name))
    if genset["quiet_soc_start_permille"] <= limits["soc_min_permille"]:
        _refuse("genset.quiet_soc_start_permille", "%d is not above limits.soc_min_permille (%d): the battery would be "
                "empty before the genset starts" % (genset["quiet_soc_start_permille"], limits["soc_min_permille"]))
    if genset["load_start_w"] and genset["load_stop_w"] >= genset["load_start_w"]:
        _refuse("genset.load_stop_w", "%d is not below genset.load_start_w (%d)"
                % (genset["load_stop_w"], genset["load_start_w"]))
    if 0 < genset["max_run_s"] < genset["min_run_s"]:
        _refuse("genset.max_run_s", "%d is below genset.min_run_s (%d)" % (genset["max_run_s"], genset["min_run_s"]))


def check_soc(devices, pcs_knows):
    """Refuse a site without a source for the state of charge; `pcs_knows` tells whether its PCS has it."""
    roles = [device["role"] for device in devices]
    if not pcs_knows and "bms" not in roles:
        i = roles.index("pcs")
        _refuse("devices[%d].profile" % i, "%s knows no state of charge; add a device with the role bms"
                % devices[i]["profile"])


def check_dry_run(mode, possible):
    """Refuse the mode dry_run where reading the PCS alone would keep alive what it was last told."""
    if mode == "dry_run" and not possible:
        _refuse("control.mode", "dry_run cannot be had with this PCS: each read of it keeps its set point alive")


def stale_policies(devices, policies):
    """Return the policy of each meter by role, and that of the state of charge, as numbers in `policies`."""
    chosen = {device["role"]: policies.index(device["on_stale"]) for device in devices}
    return [chosen.get(role, 0) for role in _METERS], chosen.get("bms", chosen["pcs"])


def check_uarts(buses, board, count):
    """Refuse a bus on a UART that the board, named so, does not have."""
    for i, bus in enumerate(buses):
        if bus["uart"] >= count:
            _refuse("buses[%d].uart" % i, "%s has no UART %d; allowed: 0 to %d" % (board, bus["uart"], count - 1))


def _refuse(path, text):
    raise ConfigError("CONFIG", "%s: %s" % (path, text))
