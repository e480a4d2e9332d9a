"""SunSpec models as tables, one line a point.

A row is (offset from the model's ID, kind, registers, scale factor, name), after the model definitions that
the SunSpec Alliance publishes; the names are theirs. A value is raw * 10**(scale factor), in the unit behind
the line. A point of a group carries the group's name.

The kinds are those of drivers.ratio and drivers.sunspec, written out once more: of numbers alone, which the compiler
knows, these tables lie in flash instead of in 8 KB of heap.
"""

from micropython import const

S16 = const(0)
U16 = const(1)
S32 = const(2)
U32 = const(3)
ENUM16 = const(16)
BITS16 = const(17)
BITS32 = const(18)
U64 = const(19)
SF = const(20)
TEXT = const(21)
PAD = const(22)

# Common
MODEL_1 = (
    (2, TEXT, 16, None, "Mn"),
    (18, TEXT, 16, None, "Md"),
    (34, TEXT, 8, None, "Opt"),
    (42, TEXT, 8, None, "Vr"),
    (50, TEXT, 16, None, "SN"),
    (66, U16, 1, None, "DA"),
    (67, PAD, 1, None, "Pad"),
)

# DER AC measurement
MODEL_701 = (
    (2, ENUM16, 1, None, "ACType"),  # 0 SINGLE_PHASE, 1 SPLIT_PHASE, 2 THREE_PHASE
    (3, ENUM16, 1, None, "St"),  # 0 OFF, 1 ON
    (4, ENUM16, 1, None, "InvSt"),
    (5, ENUM16, 1, None, "ConnSt"),  # 0 DISCONNECTED, 1 CONNECTED
    (6, BITS32, 2, None, "Alrm"),
    (8, BITS32, 2, None, "DERMode"),
    (10, S16, 1, "W_SF", "W"),  # W
    (11, S16, 1, "VA_SF", "VA"),  # VA
    (12, S16, 1, "Var_SF", "Var"),  # Var
    (13, S16, 1, "PF_SF", "PF"),
    (14, S16, 1, "A_SF", "A"),  # A
    (15, U16, 1, "V_SF", "LLV"),  # V
    (16, U16, 1, "V_SF", "LNV"),  # V
    (17, U32, 2, "Hz_SF", "Hz"),  # Hz
    (19, U64, 4, "TotWh_SF", "TotWhInj"),  # Wh
    (23, U64, 4, "TotWh_SF", "TotWhAbs"),  # Wh
    (27, U64, 4, "TotVarh_SF", "TotVarhInj"),  # Varh
    (31, U64, 4, "TotVarh_SF", "TotVarhAbs"),  # Varh
    (35, S16, 1, "Tmp_SF", "TmpAmb"),  # C
    (36, S16, 1, "Tmp_SF", "TmpCab"),  # C
    (37, S16, 1, "Tmp_SF", "TmpSnk"),  # C
    (38, S16, 1, "Tmp_SF", "TmpTrns"),  # C
    (39, S16, 1, "Tmp_SF", "TmpSw"),  # C
    (40, S16, 1, "Tmp_SF", "TmpOt"),  # C
    (41, S16, 1, "W_SF", "WL1"),  # W
    (42, S16, 1, "VA_SF", "VAL1"),  # VA
    (43, S16, 1, "Var_SF", "VarL1"),  # Var
    (44, S16, 1, "PF_SF", "PFL1"),
    (45, S16, 1, "A_SF", "AL1"),  # A
    (46, U16, 1, "V_SF", "VL1L2"),  # V
    (47, U16, 1, "V_SF", "VL1"),  # V
    (48, U64, 4, "TotWh_SF", "TotWhInjL1"),  # Wh
    (52, U64, 4, "TotWh_SF", "TotWhAbsL1"),  # Wh
    (56, U64, 4, "TotVarh_SF", "TotVarhInjL1"),  # Varh
    (60, U64, 4, "TotVarh_SF", "TotVarhAbsL1"),  # Varh
    (64, S16, 1, "W_SF", "WL2"),  # W
    (65, S16, 1, "VA_SF", "VAL2"),  # VA
    (66, S16, 1, "Var_SF", "VarL2"),  # Var
    (67, S16, 1, "PF_SF", "PFL2"),
    (68, S16, 1, "A_SF", "AL2"),  # A
    (69, U16, 1, "V_SF", "VL2L3"),  # V
    (70, U16, 1, "V_SF", "VL2"),  # V
    (71, U64, 4, "TotWh_SF", "TotWhInjL2"),  # Wh
    (75, U64, 4, "TotWh_SF", "TotWhAbsL2"),  # Wh
    (79, U64, 4, "TotVarh_SF", "TotVarhInjL2"),  # Varh
    (83, U64, 4, "TotVarh_SF", "TotVarhAbsL2"),  # Varh
    (87, S16, 1, "W_SF", "WL3"),  # W
    (88, S16, 1, "VA_SF", "VAL3"),  # VA
    (89, S16, 1, "Var_SF", "VarL3"),  # Var
    (90, S16, 1, "PF_SF", "PFL3"),
    (91, S16, 1, "A_SF", "AL3"),  # A
    (92, U16, 1, "V_SF", "VL3L1"),  # V
    (93, U16, 1, "V_SF", "VL3"),  # V
    (94, U64, 4, "TotWh_SF", "TotWhInjL3"),  # Wh
    (98, U64, 4, "TotWh_SF", "TotWhAbsL3"),  # Wh
    (102, U64, 4, "TotVarh_SF", "TotVarhInjL3"),  # Varh
    (106, U64, 4, "TotVarh_SF", "TotVarhAbsL3"),  # Varh
    (110, U16, 1, None, "ThrotPct"),  # Pct
    (111, BITS32, 2, None, "ThrotSrc"),
    (113, SF, 1, None, "A_SF"),
    (114, SF, 1, None, "V_SF"),
    (115, SF, 1, None, "Hz_SF"),
    (116, SF, 1, None, "W_SF"),
    (117, SF, 1, None, "PF_SF"),
    (118, SF, 1, None, "VA_SF"),
    (119, SF, 1, None, "Var_SF"),
    (120, SF, 1, None, "TotWh_SF"),
    (121, SF, 1, None, "TotVarh_SF"),
    (122, SF, 1, None, "Tmp_SF"),
    (123, TEXT, 32, None, "MnAlrmInfo"),
)

# DER capacity
MODEL_702 = (
    (2, U16, 1, "W_SF", "WMaxRtg"),  # W
    (3, U16, 1, "W_SF", "WOvrExtRtg"),  # W
    (4, U16, 1, "PF_SF", "WOvrExtRtgPF"),
    (5, U16, 1, "W_SF", "WUndExtRtg"),  # W
    (6, U16, 1, "PF_SF", "WUndExtRtgPF"),
    (7, U16, 1, "VA_SF", "VAMaxRtg"),  # VA
    (8, U16, 1, "Var_SF", "VarMaxInjRtg"),  # Var
    (9, U16, 1, "Var_SF", "VarMaxAbsRtg"),  # Var
    (10, U16, 1, "W_SF", "WChaRteMaxRtg"),  # W
    (11, U16, 1, "W_SF", "WDisChaRteMaxRtg"),  # W
    (12, U16, 1, "VA_SF", "VAChaRteMaxRtg"),  # VA
    (13, U16, 1, "VA_SF", "VADisChaRteMaxRtg"),  # VA
    (14, U16, 1, "V_SF", "VNomRtg"),  # V
    (15, U16, 1, "V_SF", "VMaxRtg"),  # V
    (16, U16, 1, "V_SF", "VMinRtg"),  # V
    (17, U16, 1, "A_SF", "AMaxRtg"),  # A
    (18, U16, 1, "PF_SF", "PFOvrExtRtg"),
    (19, U16, 1, "PF_SF", "PFUndExtRtg"),
    (20, U16, 1, "S_SF", "ReactSusceptRtg"),  # S
    (21, ENUM16, 1, None, "NorOpCatRtg"),  # 0 CAT_A, 1 CAT_B
    (22, ENUM16, 1, None, "AbnOpCatRtg"),  # 0 CAT_1, 1 CAT_2, 2 CAT_3
    (23, BITS32, 2, None, "CtrlModes"),
    (25, BITS16, 1, None, "IntIslandCatRtg"),
    (26, U16, 1, "W_SF", "WMax"),  # W
    (27, U16, 1, "W_SF", "WMaxOvrExt"),  # W
    (28, U16, 1, "PF_SF", "WOvrExtPF"),
    (29, U16, 1, "W_SF", "WMaxUndExt"),  # W
    (30, U16, 1, "PF_SF", "WUndExtPF"),
    (31, U16, 1, "VA_SF", "VAMax"),  # VA
    (32, U16, 1, "Var_SF", "VarMaxInj"),  # Var
    (33, U16, 1, "Var_SF", "VarMaxAbs"),  # Var
    (34, U16, 1, "W_SF", "WChaRteMax"),  # W
    (35, U16, 1, "W_SF", "WDisChaRteMax"),  # W
    (36, U16, 1, "VA_SF", "VAChaRteMax"),  # VA
    (37, U16, 1, "VA_SF", "VADisChaRteMax"),  # VA
    (38, U16, 1, "V_SF", "VNom"),  # V
    (39, U16, 1, "V_SF", "VMax"),  # V
    (40, U16, 1, "V_SF", "VMin"),  # V
    (41, U16, 1, "A_SF", "AMax"),  # A
    (42, U16, 1, "PF_SF", "PFOvrExt"),
    (43, U16, 1, "PF_SF", "PFUndExt"),
    (44, BITS16, 1, None, "IntIslandCat"),
    (45, SF, 1, None, "W_SF"),
    (46, SF, 1, None, "PF_SF"),
    (47, SF, 1, None, "VA_SF"),
    (48, SF, 1, None, "Var_SF"),
    (49, SF, 1, None, "V_SF"),
    (50, SF, 1, None, "A_SF"),
    (51, SF, 1, None, "S_SF"),
)

# enter service
MODEL_703 = (
    (2, ENUM16, 1, None, "ES"),  # 0 DISABLED, 1 ENABLED
    (3, U16, 1, "V_SF", "ESVHi"),  # Pct
    (4, U16, 1, "V_SF", "ESVLo"),  # Pct
    (5, U32, 2, "Hz_SF", "ESHzHi"),  # Hz
    (7, U32, 2, "Hz_SF", "ESHzLo"),  # Hz
    (9, U32, 2, None, "ESDlyTms"),  # Secs
    (11, U32, 2, None, "ESRndTms"),  # Secs
    (13, U32, 2, None, "ESRmpTms"),  # Secs
    (15, U32, 2, None, "ESDlyRemTms"),  # Secs
    (17, SF, 1, None, "V_SF"),
    (18, SF, 1, None, "Hz_SF"),
)

# DER AC controls
MODEL_704 = (
    (2, ENUM16, 1, None, "PFWInjEna"),  # 0 DISABLED, 1 ENABLED
    (3, ENUM16, 1, None, "PFWInjEnaRvrt"),  # 0 DISABLED, 1 ENABLED
    (4, U32, 2, None, "PFWInjRvrtTms"),  # Secs
    (6, U32, 2, None, "PFWInjRvrtRem"),  # Secs
    (8, ENUM16, 1, None, "PFWAbsEna"),  # 0 DISABLED, 1 ENABLED
    (9, ENUM16, 1, None, "PFWAbsEnaRvrt"),  # 0 DISABLED, 1 ENABLED
    (10, U32, 2, None, "PFWAbsRvrtTms"),  # Secs
    (12, U32, 2, None, "PFWAbsRvrtRem"),  # Secs
    (14, ENUM16, 1, None, "WMaxLimPctEna"),  # 0 DISABLED, 1 ENABLED
    (15, U16, 1, "WMaxLimPct_SF", "WMaxLimPct"),  # Pct
    (16, U16, 1, "WMaxLimPct_SF", "WMaxLimPctRvrt"),  # Pct
    (17, ENUM16, 1, None, "WMaxLimPctEnaRvrt"),  # 0 DISABLED, 1 ENABLED
    (18, U32, 2, None, "WMaxLimPctRvrtTms"),  # Secs
    (20, U32, 2, None, "WMaxLimPctRvrtRem"),  # Secs
    (22, ENUM16, 1, None, "WSetEna"),  # 0 DISABLED, 1 ENABLED
    (23, ENUM16, 1, None, "WSetMod"),  # 0 W_MAX_PCT, 1 WATTS
    (24, S32, 2, "WSet_SF", "WSet"),  # W
    (26, S32, 2, "WSet_SF", "WSetRvrt"),  # W
    (28, S16, 1, "WSetPct_SF", "WSetPct"),  # Pct
    (29, S16, 1, "WSetPct_SF", "WSetPctRvrt"),  # Pct
    (30, ENUM16, 1, None, "WSetEnaRvrt"),  # 0 DISABLED, 1 ENABLED
    (31, U32, 2, None, "WSetRvrtTms"),  # Secs
    (33, U32, 2, None, "WSetRvrtRem"),  # Secs
    (35, ENUM16, 1, None, "VarSetEna"),  # 0 DISABLED, 1 ENABLED
    (36, ENUM16, 1, None, "VarSetMod"),  # 0 W_MAX_PCT, 1 VAR_MAX_PCT, 2 VAR_AVAIL_PCT, 3 VA_MAX_PCT, 4 VARS
    (37, ENUM16, 1, None, "VarSetPri"),  # 0 ACTIVE, 1 REACTIVE, 2 VENDOR
    (38, S32, 2, "VarSet_SF", "VarSet"),  # Var
    (40, S32, 2, "VarSet_SF", "VarSetRvrt"),  # Var
    (42, S16, 1, "VarSetPct_SF", "VarSetPct"),  # Pct
    (43, S16, 1, "VarSetPct_SF", "VarSetPctRvrt"),  # Pct
    (44, ENUM16, 1, None, "VarSetEnaRvrt"),  # 0 DISABLED, 1 ENABLED
    (45, U32, 2, None, "VarSetRvrtTms"),  # Secs
    (47, U32, 2, None, "VarSetRvrtRem"),  # Secs
    (49, U16, 1, None, "WRmp"),  # %Max/Sec
    (50, ENUM16, 1, None, "WRmpRef"),  # 0 A_MAX, 1 W_MAX
    (51, U16, 1, None, "VarRmp"),  # %Max/Sec
    (52, ENUM16, 1, None, "AntiIslEna"),  # 0 DISABLED, 1 ENABLED
    (53, SF, 1, None, "PF_SF"),
    (54, SF, 1, None, "WMaxLimPct_SF"),
    (55, SF, 1, None, "WSet_SF"),
    (56, SF, 1, None, "WSetPct_SF"),
    (57, SF, 1, None, "VarSet_SF"),
    (58, SF, 1, None, "VarSetPct_SF"),
    (59, U16, 1, "PF_SF", "PFWInj.PF"),
    (60, ENUM16, 1, None, "PFWInj.Ext"),  # 0 OVER_EXCITED, 1 UNDER_EXCITED
    (61, U16, 1, "PF_SF", "PFWInjRvrt.PF"),
    (62, ENUM16, 1, None, "PFWInjRvrt.Ext"),  # 0 OVER_EXCITED, 1 UNDER_EXCITED
    (63, U16, 1, "PF_SF", "PFWAbs.PF"),
    (64, ENUM16, 1, None, "PFWAbs.Ext"),  # 0 OVER_EXCITED, 1 UNDER_EXCITED
    (65, U16, 1, "PF_SF", "PFWAbsRvrt.PF"),
    (66, ENUM16, 1, None, "PFWAbsRvrt.Ext"),  # 0 OVER_EXCITED, 1 UNDER_EXCITED
)

# DER storage capacity
MODEL_713 = (
    (2, U16, 1, "WH_SF", "WHRtg"),  # WH
    (3, U16, 1, "WH_SF", "WHAvail"),  # WH
    (4, U16, 1, "Pct_SF", "SoC"),  # Pct
    (5, U16, 1, "Pct_SF", "SoH"),  # Pct
    (6, ENUM16, 1, None, "Sta"),  # 0 OK, 1 WARNING, 2 ERROR
    (7, SF, 1, None, "WH_SF"),
    (8, SF, 1, None, "Pct_SF"),
)

# DER control
MODEL_715 = (
    (2, ENUM16, 1, None, "LocRemCtl"),  # 0 REMOTE, 1 LOCAL
    (3, U32, 2, None, "DERHb"),
    (5, U32, 2, None, "ControllerHb"),
    (7, U16, 1, None, "AlarmReset"),
    (8, ENUM16, 1, None, "OpCtl"),  # 0 STOP, 1 START, 2 ENTER_STANDBY, 3 EXIT_STANDBY
)
