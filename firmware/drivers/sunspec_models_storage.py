"""The SunSpec models of DC ports and batteries, 714 and 802, one line a point: see drivers.sunspec_models."""

from micropython import const

S16 = const(0)
U16 = const(1)
U32 = const(3)
ENUM16 = const(16)
BITS32 = const(18)
U64 = const(19)
SF = const(20)
TEXT = const(21)

# DER DC Measurement
MODEL_714 = (
    (2, BITS32, 2, None, "PrtAlrms"),
    (4, U16, 1, None, "NPrt"),
    (5, S16, 1, "DCA_SF", "DCA"),  # A
    (6, S16, 1, "DCW_SF", "DCW"),  # W
    (7, U64, 4, "DCWH_SF", "DCWhInj"),  # Wh
    (11, U64, 4, "DCWH_SF", "DCWhAbs"),  # Wh
    (15, SF, 1, None, "DCA_SF"),
    (16, SF, 1, None, "DCV_SF"),
    (17, SF, 1, None, "DCW_SF"),
    (18, SF, 1, None, "DCWH_SF"),
    (19, SF, 1, None, "Tmp_SF"),
    (20, ENUM16, 1, None, "Prt.PrtTyp"),  # 0 PV, 1 ESS, 2 EV, 3 INJ, 4 ABS, 5 BIDIR, 6 DC_DC
    (21, U16, 1, None, "Prt.ID"),
    (22, TEXT, 8, None, "Prt.IDStr"),
    (30, S16, 1, "DCA_SF", "Prt.DCA"),  # A
    (31, U16, 1, "DCV_SF", "Prt.DCV"),  # V
    (32, S16, 1, "DCW_SF", "Prt.DCW"),  # W
    (33, U64, 4, "DCWH_SF", "Prt.DCWhInj"),  # Wh
    (37, U64, 4, "DCWH_SF", "Prt.DCWhAbs"),  # Wh
    (41, S16, 1, "Tmp_SF", "Prt.Tmp"),  # C
    (42, ENUM16, 1, None, "Prt.DCSta"),  # 0 OFF, 1 ON, 2 WARNING, 3 ERROR
    (43, BITS32, 2, None, "Prt.DCAlrm"),
)

# Battery Base Model
MODEL_802 = (
    (2, U16, 1, "AHRtg_SF", "AHRtg"),  # Ah
    (3, U16, 1, "WHRtg_SF", "WHRtg"),  # Wh
    (4, U16, 1, "WChaDisChaMax_SF", "WChaRteMax"),  # W
    (5, U16, 1, "WChaDisChaMax_SF", "WDisChaRteMax"),  # W
    (6, U16, 1, "DisChaRte_SF", "DisChaRte"),  # %WHRtg
    (7, U16, 1, "SoC_SF", "SoCMax"),  # %WHRtg
    (8, U16, 1, "SoC_SF", "SoCMin"),  # %WHRtg
    (9, U16, 1, "SoC_SF", "SocRsvMax"),  # %WHRtg
    (10, U16, 1, "SoC_SF", "SoCRsvMin"),  # %WHRtg
    (11, U16, 1, "SoC_SF", "SoC"),  # %WHRtg
    (12, U16, 1, "DoD_SF", "DoD"),  # %
    (13, U16, 1, "SoH_SF", "SoH"),  # %
    (14, U32, 2, None, "NCyc"),
    (16, ENUM16, 1, None, "ChaSt"),  # 1 OFF, 2 EMPTY, 3 DISCHARGING, 4 CHARGING, 5 FULL, 6 HOLDING, 7 TESTING
    (17, ENUM16, 1, None, "LocRemCtl"),  # 0 REMOTE, 1 LOCAL
    (18, U16, 1, None, "Hb"),
    (19, U16, 1, None, "CtrlHb"),
    (20, U16, 1, None, "AlmRst"),
    (21, ENUM16, 1, None, "Typ"),
    (22, ENUM16, 1, None, "State"),
    (23, ENUM16, 1, None, "StateVnd"),
    (24, U32, 2, None, "WarrDt"),
    (26, BITS32, 2, None, "Evt1"),
    (28, BITS32, 2, None, "Evt2"),
    (30, BITS32, 2, None, "EvtVnd1"),
    (32, BITS32, 2, None, "EvtVnd2"),
    (34, U16, 1, "V_SF", "V"),  # V
    (35, U16, 1, "V_SF", "VMax"),  # V
    (36, U16, 1, "V_SF", "VMin"),  # V
    (37, U16, 1, "CellV_SF", "CellVMax"),  # V
    (38, U16, 1, None, "CellVMaxStr"),
    (39, U16, 1, None, "CellVMaxMod"),
    (40, U16, 1, "CellV_SF", "CellVMin"),  # V
    (41, U16, 1, None, "CellVMinStr"),
    (42, U16, 1, None, "CellVMinMod"),
    (43, U16, 1, "CellV_SF", "CellVAvg"),  # V
    (44, S16, 1, "A_SF", "A"),  # A
    (45, U16, 1, "AMax_SF", "AChaMax"),  # A
    (46, U16, 1, "AMax_SF", "ADisChaMax"),  # A
    (47, S16, 1, "W_SF", "W"),  # W
    (48, ENUM16, 1, None, "ReqInvState"),  # 0 NO REQUEST, 1 START, 2 STOP
    (49, S16, 1, "W_SF", "ReqW"),  # W
    (50, ENUM16, 1, None, "SetOp"),  # 1 CONNECT, 2 DISCONNECT
    (51, ENUM16, 1, None, "SetInvState"),  # 1 INVERTER_STOPPED, 2 INVERTER_STANDBY, 3 INVERTER_STARTED
    (52, SF, 1, None, "AHRtg_SF"),
    (53, SF, 1, None, "WHRtg_SF"),
    (54, SF, 1, None, "WChaDisChaMax_SF"),
    (55, SF, 1, None, "DisChaRte_SF"),
    (56, SF, 1, None, "SoC_SF"),
    (57, SF, 1, None, "DoD_SF"),
    (58, SF, 1, None, "SoH_SF"),
    (59, SF, 1, None, "V_SF"),
    (60, SF, 1, None, "CellV_SF"),
    (61, SF, 1, None, "A_SF"),
    (62, SF, 1, None, "AMax_SF"),
    (63, SF, 1, None, "W_SF"),
)
