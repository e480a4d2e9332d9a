"""The SunSpec models of inverters, 100 to 124, as tables, one line a point: see drivers.sunspec_models."""

from micropython import const

S16 = const(0)
U16 = const(1)
U32 = const(3)
F32 = const(4)
ENUM16 = const(16)
BITS16 = const(17)
BITS32 = const(18)
SF = const(20)
TEXT = const(21)
PAD = const(22)
ACC32 = const(23)
ACC64 = const(24)

# Inverter (Three Phase)
MODEL_103 = (
    (2, U16, 1, "A_SF", "A"),  # A
    (3, U16, 1, "A_SF", "AphA"),  # A
    (4, U16, 1, "A_SF", "AphB"),  # A
    (5, U16, 1, "A_SF", "AphC"),  # A
    (6, SF, 1, None, "A_SF"),
    (7, U16, 1, "V_SF", "PPVphAB"),  # V
    (8, U16, 1, "V_SF", "PPVphBC"),  # V
    (9, U16, 1, "V_SF", "PPVphCA"),  # V
    (10, U16, 1, "V_SF", "PhVphA"),  # V
    (11, U16, 1, "V_SF", "PhVphB"),  # V
    (12, U16, 1, "V_SF", "PhVphC"),  # V
    (13, SF, 1, None, "V_SF"),
    (14, S16, 1, "W_SF", "W"),  # W
    (15, SF, 1, None, "W_SF"),
    (16, U16, 1, "Hz_SF", "Hz"),  # Hz
    (17, SF, 1, None, "Hz_SF"),
    (18, S16, 1, "VA_SF", "VA"),  # VA
    (19, SF, 1, None, "VA_SF"),
    (20, S16, 1, "VAr_SF", "VAr"),  # var
    (21, SF, 1, None, "VAr_SF"),
    (22, S16, 1, "PF_SF", "PF"),  # Pct
    (23, SF, 1, None, "PF_SF"),
    (24, ACC32, 2, "WH_SF", "WH"),  # Wh
    (26, SF, 1, None, "WH_SF"),
    (27, U16, 1, "DCA_SF", "DCA"),  # A
    (28, SF, 1, None, "DCA_SF"),
    (29, U16, 1, "DCV_SF", "DCV"),  # V
    (30, SF, 1, None, "DCV_SF"),
    (31, S16, 1, "DCW_SF", "DCW"),  # W
    (32, SF, 1, None, "DCW_SF"),
    (33, S16, 1, "Tmp_SF", "TmpCab"),  # C
    (34, S16, 1, "Tmp_SF", "TmpSnk"),  # C
    (35, S16, 1, "Tmp_SF", "TmpTrns"),  # C
    (36, S16, 1, "Tmp_SF", "TmpOt"),  # C
    (37, SF, 1, None, "Tmp_SF"),
    (38, ENUM16, 1, None, "St"),
    (39, ENUM16, 1, None, "StVnd"),
    (40, BITS32, 2, None, "Evt1"),
    (42, BITS32, 2, None, "Evt2"),
    (44, BITS32, 2, None, "EvtVnd1"),
    (46, BITS32, 2, None, "EvtVnd2"),
    (48, BITS32, 2, None, "EvtVnd3"),
    (50, BITS32, 2, None, "EvtVnd4"),
)

# Inverter (Three Phase) FLOAT
MODEL_113 = (
    (2, F32, 2, None, "A"),  # A
    (4, F32, 2, None, "AphA"),  # A
    (6, F32, 2, None, "AphB"),  # A
    (8, F32, 2, None, "AphC"),  # A
    (10, F32, 2, None, "PPVphAB"),  # V
    (12, F32, 2, None, "PPVphBC"),  # V
    (14, F32, 2, None, "PPVphCA"),  # V
    (16, F32, 2, None, "PhVphA"),  # V
    (18, F32, 2, None, "PhVphB"),  # V
    (20, F32, 2, None, "PhVphC"),  # V
    (22, F32, 2, None, "W"),  # W
    (24, F32, 2, None, "Hz"),  # Hz
    (26, F32, 2, None, "VA"),  # VA
    (28, F32, 2, None, "VAr"),  # var
    (30, F32, 2, None, "PF"),  # Pct
    (32, F32, 2, None, "WH"),  # Wh
    (34, F32, 2, None, "DCA"),  # A
    (36, F32, 2, None, "DCV"),  # V
    (38, F32, 2, None, "DCW"),  # W
    (40, F32, 2, None, "TmpCab"),  # C
    (42, F32, 2, None, "TmpSnk"),  # C
    (44, F32, 2, None, "TmpTrns"),  # C
    (46, F32, 2, None, "TmpOt"),  # C
    (48, ENUM16, 1, None, "St"),
    (49, ENUM16, 1, None, "StVnd"),
    (50, BITS32, 2, None, "Evt1"),
    (52, BITS32, 2, None, "Evt2"),
    (54, BITS32, 2, None, "EvtVnd1"),
    (56, BITS32, 2, None, "EvtVnd2"),
    (58, BITS32, 2, None, "EvtVnd3"),
    (60, BITS32, 2, None, "EvtVnd4"),
)

# Nameplate
MODEL_120 = (
    (2, ENUM16, 1, None, "DERTyp"),  # 4 PV, 82 PV_STOR
    (3, U16, 1, "WRtg_SF", "WRtg"),  # W
    (4, SF, 1, None, "WRtg_SF"),
    (5, U16, 1, "VARtg_SF", "VARtg"),  # VA
    (6, SF, 1, None, "VARtg_SF"),
    (7, S16, 1, "VArRtg_SF", "VArRtgQ1"),  # var
    (8, S16, 1, "VArRtg_SF", "VArRtgQ2"),  # var
    (9, S16, 1, "VArRtg_SF", "VArRtgQ3"),  # var
    (10, S16, 1, "VArRtg_SF", "VArRtgQ4"),  # var
    (11, SF, 1, None, "VArRtg_SF"),
    (12, U16, 1, "ARtg_SF", "ARtg"),  # A
    (13, SF, 1, None, "ARtg_SF"),
    (14, S16, 1, "PFRtg_SF", "PFRtgQ1"),  # cos()
    (15, S16, 1, "PFRtg_SF", "PFRtgQ2"),  # cos()
    (16, S16, 1, "PFRtg_SF", "PFRtgQ3"),  # cos()
    (17, S16, 1, "PFRtg_SF", "PFRtgQ4"),  # cos()
    (18, SF, 1, None, "PFRtg_SF"),
    (19, U16, 1, "WHRtg_SF", "WHRtg"),  # Wh
    (20, SF, 1, None, "WHRtg_SF"),
    (21, U16, 1, "AhrRtg_SF", "AhrRtg"),  # AH
    (22, SF, 1, None, "AhrRtg_SF"),
    (23, U16, 1, "MaxChaRte_SF", "MaxChaRte"),  # W
    (24, SF, 1, None, "MaxChaRte_SF"),
    (25, U16, 1, "MaxDisChaRte_SF", "MaxDisChaRte"),  # W
    (26, SF, 1, None, "MaxDisChaRte_SF"),
    (27, PAD, 1, None, "Pad"),
)

# Basic Settings
MODEL_121 = (
    (2, U16, 1, "WMax_SF", "WMax"),  # W
    (3, U16, 1, "VRef_SF", "VRef"),  # V
    (4, S16, 1, "VRefOfs_SF", "VRefOfs"),  # V
    (5, U16, 1, "VMinMax_SF", "VMax"),  # V
    (6, U16, 1, "VMinMax_SF", "VMin"),  # V
    (7, U16, 1, "VAMax_SF", "VAMax"),  # VA
    (8, S16, 1, "VArMax_SF", "VArMaxQ1"),  # var
    (9, S16, 1, "VArMax_SF", "VArMaxQ2"),  # var
    (10, S16, 1, "VArMax_SF", "VArMaxQ3"),  # var
    (11, S16, 1, "VArMax_SF", "VArMaxQ4"),  # var
    (12, U16, 1, "WGra_SF", "WGra"),  # % WMax/sec
    (13, S16, 1, "PFMin_SF", "PFMinQ1"),  # cos()
    (14, S16, 1, "PFMin_SF", "PFMinQ2"),  # cos()
    (15, S16, 1, "PFMin_SF", "PFMinQ3"),  # cos()
    (16, S16, 1, "PFMin_SF", "PFMinQ4"),  # cos()
    (17, ENUM16, 1, None, "VArAct"),  # 1 SWITCH, 2 MAINTAIN
    (18, ENUM16, 1, None, "ClcTotVA"),  # 1 VECTOR, 2 ARITHMETIC
    (19, U16, 1, "MaxRmpRte_SF", "MaxRmpRte"),  # % WGra
    (20, U16, 1, "ECPNomHz_SF", "ECPNomHz"),  # Hz
    (21, ENUM16, 1, None, "ConnPh"),  # 1 A, 2 B, 3 C
    (22, SF, 1, None, "WMax_SF"),
    (23, SF, 1, None, "VRef_SF"),
    (24, SF, 1, None, "VRefOfs_SF"),
    (25, SF, 1, None, "VMinMax_SF"),
    (26, SF, 1, None, "VAMax_SF"),
    (27, SF, 1, None, "VArMax_SF"),
    (28, SF, 1, None, "WGra_SF"),
    (29, SF, 1, None, "PFMin_SF"),
    (30, SF, 1, None, "MaxRmpRte_SF"),
    (31, SF, 1, None, "ECPNomHz_SF"),
)

# Measurements_Status
MODEL_122 = (
    (2, BITS16, 1, None, "PVConn"),
    (3, BITS16, 1, None, "StorConn"),
    (4, BITS16, 1, None, "ECPConn"),
    (5, ACC64, 4, None, "ActWh"),  # Wh
    (9, ACC64, 4, None, "ActVAh"),  # VAh
    (13, ACC64, 4, None, "ActVArhQ1"),  # varh
    (17, ACC64, 4, None, "ActVArhQ2"),  # varh
    (21, ACC64, 4, None, "ActVArhQ3"),  # varh
    (25, ACC64, 4, None, "ActVArhQ4"),  # varh
    (29, S16, 1, "VArAval_SF", "VArAval"),  # var
    (30, SF, 1, None, "VArAval_SF"),
    (31, U16, 1, "WAval_SF", "WAval"),  # W
    (32, SF, 1, None, "WAval_SF"),
    (33, BITS32, 2, None, "StSetLimMsk"),
    (35, BITS32, 2, None, "StActCtl"),
    (37, TEXT, 4, None, "TmSrc"),
    (41, U32, 2, None, "Tms"),  # Secs
    (43, BITS16, 1, None, "RtSt"),
    (44, U16, 1, "Ris_SF", "Ris"),  # ohms
    (45, SF, 1, None, "Ris_SF"),
)

# Immediate Controls
MODEL_123 = (
    (2, U16, 1, None, "Conn_WinTms"),  # Secs
    (3, U16, 1, None, "Conn_RvrtTms"),  # Secs
    (4, ENUM16, 1, None, "Conn"),  # 0 DISCONNECT, 1 CONNECT
    (5, U16, 1, "WMaxLimPct_SF", "WMaxLimPct"),  # % WMax
    (6, U16, 1, None, "WMaxLimPct_WinTms"),  # Secs
    (7, U16, 1, None, "WMaxLimPct_RvrtTms"),  # Secs
    (8, U16, 1, None, "WMaxLimPct_RmpTms"),  # Secs
    (9, ENUM16, 1, None, "WMaxLim_Ena"),  # 0 DISABLED, 1 ENABLED
    (10, S16, 1, "OutPFSet_SF", "OutPFSet"),  # cos()
    (11, U16, 1, None, "OutPFSet_WinTms"),  # Secs
    (12, U16, 1, None, "OutPFSet_RvrtTms"),  # Secs
    (13, U16, 1, None, "OutPFSet_RmpTms"),  # Secs
    (14, ENUM16, 1, None, "OutPFSet_Ena"),  # 0 DISABLED, 1 ENABLED
    (15, S16, 1, "VArPct_SF", "VArWMaxPct"),  # % WMax
    (16, S16, 1, "VArPct_SF", "VArMaxPct"),  # % VArMax
    (17, S16, 1, "VArPct_SF", "VArAvalPct"),  # % VArAval
    (18, U16, 1, None, "VArPct_WinTms"),  # Secs
    (19, U16, 1, None, "VArPct_RvrtTms"),  # Secs
    (20, U16, 1, None, "VArPct_RmpTms"),  # Secs
    (21, ENUM16, 1, None, "VArPct_Mod"),  # 0 NONE, 1 WMax, 2 VArMax, 3 VArAval
    (22, ENUM16, 1, None, "VArPct_Ena"),  # 0 DISABLED, 1 ENABLED
    (23, SF, 1, None, "WMaxLimPct_SF"),
    (24, SF, 1, None, "OutPFSet_SF"),
    (25, SF, 1, None, "VArPct_SF"),
)

# Storage
MODEL_124 = (
    (2, U16, 1, "WChaMax_SF", "WChaMax"),  # W
    (3, U16, 1, "WChaDisChaGra_SF", "WChaGra"),  # % WChaMax/sec
    (4, U16, 1, "WChaDisChaGra_SF", "WDisChaGra"),  # % WChaMax/sec
    (5, BITS16, 1, None, "StorCtl_Mod"),
    (6, U16, 1, "VAChaMax_SF", "VAChaMax"),  # VA
    (7, U16, 1, "MinRsvPct_SF", "MinRsvPct"),  # % WChaMax
    (8, U16, 1, "ChaState_SF", "ChaState"),  # % AhrRtg
    (9, U16, 1, "StorAval_SF", "StorAval"),  # AH
    (10, U16, 1, "InBatV_SF", "InBatV"),  # V
    (11, ENUM16, 1, None, "ChaSt"),  # 1 OFF, 2 EMPTY, 3 DISCHARGING, 4 CHARGING, 5 FULL, 6 HOLDING, 7 TESTING
    (12, S16, 1, "InOutWRte_SF", "OutWRte"),  # % WDisChaMax
    (13, S16, 1, "InOutWRte_SF", "InWRte"),  #  % WChaMax
    (14, U16, 1, None, "InOutWRte_WinTms"),  # Secs
    (15, U16, 1, None, "InOutWRte_RvrtTms"),  # Secs
    (16, U16, 1, None, "InOutWRte_RmpTms"),  # Secs
    (17, ENUM16, 1, None, "ChaGriSet"),  # 0 PV, 1 GRID
    (18, SF, 1, None, "WChaMax_SF"),
    (19, SF, 1, None, "WChaDisChaGra_SF"),
    (20, SF, 1, None, "VAChaMax_SF"),
    (21, SF, 1, None, "MinRsvPct_SF"),
    (22, SF, 1, None, "ChaState_SF"),
    (23, SF, 1, None, "StorAval_SF"),
    (24, SF, 1, None, "InBatV_SF"),
    (25, SF, 1, None, "InOutWRte_SF"),
)
