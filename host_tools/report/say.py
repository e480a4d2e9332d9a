"""Write numbers so that a program can read them back: shown rounded, exact in data-v, named in data-is."""

from html import escape

from host_tools.report.plot import number, scaled


def exact(value, text, name):
    """Wrap a shown text of an exact whole number; `name` says which figure it is."""
    return f'<span data-v="{value}" data-is="{escape(name)}">{text}</span>'


def kwh(energy_wh, name):
    """Write an energy in kWh to the Wh."""
    return exact(energy_wh, thousands(energy_wh, 1000, 3), name)


def kg(carbon_ug, name):
    """Write a mass in kg to the gram."""
    return exact(carbon_ug, thousands(carbon_ug, 10**9, 3), name)


def thousands(value, unit, places):
    """Write value / unit with so many decimals, rounded half up, thousands apart, with a true minus."""
    scaled_value = (2 * abs(value) * 10**places + unit) // (2 * unit)
    whole, rest = divmod(scaled_value, 10**places)
    text = f"{whole:,}".replace(",", "\u202f") + (f".{rest:0{places}d}" if places else "")
    return ("−" if value < 0 and scaled_value else "") + text


def energy(energy_wh):
    """Write an energy short, with its unit."""
    divisor, prefix = scaled(abs(energy_wh))
    return f"{number(energy_wh / divisor)} {prefix}Wh"


def mass(carbon_ug):
    """Write a mass short, with its unit."""
    for divisor, unit in ((10**12, "t"), (10**9, "kg"), (10**6, "g")):
        if abs(carbon_ug) >= divisor:
            return f"{number(carbon_ug / divisor)} {unit}"
    return f"{number(carbon_ug / 10**6)} g"


def intensity(carbon_ug, energy_wh, places=1):
    """Write g/kWh of summed carbon over summed energy, without the unit; a dash without energy."""
    return thousands(carbon_ug, 1000 * energy_wh, places) if energy_wh else "–"


def percent(part, total, places=1):
    """Write a share in %, without the sign; a dash of nothing."""
    return thousands(100 * part, total, places) if total else "–"
