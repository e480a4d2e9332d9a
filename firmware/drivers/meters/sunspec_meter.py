"""Any meter with a SunSpec model 201 to 204 or 211 to 214: found by discovery, its places and scales read from it."""

from firmware.drivers.sunspec_meter import SunspecMeter

DOCUMENT = "SunSpec Alliance, information models 201-204 and 211-214"
DRIVER = SunspecMeter
FUNCTION = 3
MAX_READ = 125
TURNAROUND_US = 10_000
