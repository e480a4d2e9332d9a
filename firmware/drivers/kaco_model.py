"""KACO's vendor model 64201 as a table, one line a point, without what is reserved. See drivers.sunspec_models."""

from micropython import const

S16 = const(0)
U16 = const(1)
ENUM16 = const(16)
SF = const(20)

MODEL_64201 = (
    (2, U16, 1, None, "VersionMajor"),
    (3, U16, 1, None, "VersionMinor"),
    (4, ENUM16, 1, None, "RequestedState"),  # 1 OFF, 8 STANDBY, 10 GRID_PRE_CONNECTED, 11 GRID_CONNECTED
    (5, ENUM16, 1, None, "CurrentState"),  # 1 OFF, 7 FAULT, 8 STANDBY, 11 GRID_CONNECTED, ...
    (6, ENUM16, 1, None, "ControlMode"),
    (8, U16, 1, None, "Watchdog"),  # s, 0 is off
    (9, S16, 1, "WSetPctSF", "WSetPct"),  # % of WMax, charge negative
    (10, S16, 1, "VarSetPctSF", "VarSetPct"),
    (17, ENUM16, 1, None, "StPu"),
    (20, U16, 1, None, "WParamRmpTms"),
    (21, U16, 1, "RmpIncDecSF", "WParamRmpDecTmm"),
    (22, U16, 1, "RmpIncDecSF", "WParamRmpIncTmm"),
    (25, ENUM16, 1, None, "WParamEna"),
    (32, U16, 1, "VSF", "PhVphA"),  # V
    (33, U16, 1, "VSF", "PhVphB"),  # V
    (34, U16, 1, "VSF", "PhVphC"),  # V
    (35, S16, 1, "WSF", "W"),  # W
    (36, S16, 1, "VarSF", "Var"),  # var
    (37, U16, 1, "HzSF", "Hz"),  # Hz
    (46, SF, 1, None, "WSetPctSF"),
    (47, SF, 1, None, "VarSetPctSF"),
    (48, SF, 1, None, "RmpTmsSF"),
    (49, SF, 1, None, "RmpIncDecSF"),
    (50, SF, 1, None, "VSF"),
    (51, SF, 1, None, "WSF"),
    (52, SF, 1, None, "VarSF"),
    (53, SF, 1, None, "HzSF"),
)
