"""The SunSpec models of meters as tables, one line a point: see drivers.sunspec_models.

Models 201, 202 and 204 (one phase, split phase, delta) have 203's points; 211, 212 and 214 have 213's.
"""

from micropython import const

S16 = const(0)
F32 = const(4)
BITS32 = const(18)
SF = const(20)
ACC32 = const(23)

# Meter, integers and scale factors
MODEL_203 = (
    (2, S16, 1, "A_SF", "A"),  # A
    (3, S16, 1, "A_SF", "AphA"),  # A
    (4, S16, 1, "A_SF", "AphB"),  # A
    (5, S16, 1, "A_SF", "AphC"),  # A
    (6, SF, 1, None, "A_SF"),
    (7, S16, 1, "V_SF", "PhV"),  # V
    (8, S16, 1, "V_SF", "PhVphA"),  # V
    (9, S16, 1, "V_SF", "PhVphB"),  # V
    (10, S16, 1, "V_SF", "PhVphC"),  # V
    (11, S16, 1, "V_SF", "PPV"),  # V
    (12, S16, 1, "V_SF", "PhVphAB"),  # V
    (13, S16, 1, "V_SF", "PhVphBC"),  # V
    (14, S16, 1, "V_SF", "PhVphCA"),  # V
    (15, SF, 1, None, "V_SF"),
    (16, S16, 1, "Hz_SF", "Hz"),  # Hz
    (17, SF, 1, None, "Hz_SF"),
    (18, S16, 1, "W_SF", "W"),  # W
    (19, S16, 1, "W_SF", "WphA"),  # W
    (20, S16, 1, "W_SF", "WphB"),  # W
    (21, S16, 1, "W_SF", "WphC"),  # W
    (22, SF, 1, None, "W_SF"),
    (23, S16, 1, "VA_SF", "VA"),  # VA
    (24, S16, 1, "VA_SF", "VAphA"),  # VA
    (25, S16, 1, "VA_SF", "VAphB"),  # VA
    (26, S16, 1, "VA_SF", "VAphC"),  # VA
    (27, SF, 1, None, "VA_SF"),
    (28, S16, 1, "VAR_SF", "VAR"),  # var
    (29, S16, 1, "VAR_SF", "VARphA"),  # var
    (30, S16, 1, "VAR_SF", "VARphB"),  # var
    (31, S16, 1, "VAR_SF", "VARphC"),  # var
    (32, SF, 1, None, "VAR_SF"),
    (33, S16, 1, "PF_SF", "PF"),  # Pct
    (34, S16, 1, "PF_SF", "PFphA"),  # Pct
    (35, S16, 1, "PF_SF", "PFphB"),  # Pct
    (36, S16, 1, "PF_SF", "PFphC"),  # Pct
    (37, SF, 1, None, "PF_SF"),
    (38, ACC32, 2, "TotWh_SF", "TotWhExp"),  # Wh
    (40, ACC32, 2, "TotWh_SF", "TotWhExpPhA"),  # Wh
    (42, ACC32, 2, "TotWh_SF", "TotWhExpPhB"),  # Wh
    (44, ACC32, 2, "TotWh_SF", "TotWhExpPhC"),  # Wh
    (46, ACC32, 2, "TotWh_SF", "TotWhImp"),  # Wh
    (48, ACC32, 2, "TotWh_SF", "TotWhImpPhA"),  # Wh
    (50, ACC32, 2, "TotWh_SF", "TotWhImpPhB"),  # Wh
    (52, ACC32, 2, "TotWh_SF", "TotWhImpPhC"),  # Wh
    (54, SF, 1, None, "TotWh_SF"),
    (55, ACC32, 2, "TotVAh_SF", "TotVAhExp"),  # VAh
    (57, ACC32, 2, "TotVAh_SF", "TotVAhExpPhA"),  # VAh
    (59, ACC32, 2, "TotVAh_SF", "TotVAhExpPhB"),  # VAh
    (61, ACC32, 2, "TotVAh_SF", "TotVAhExpPhC"),  # VAh
    (63, ACC32, 2, "TotVAh_SF", "TotVAhImp"),  # VAh
    (65, ACC32, 2, "TotVAh_SF", "TotVAhImpPhA"),  # VAh
    (67, ACC32, 2, "TotVAh_SF", "TotVAhImpPhB"),  # VAh
    (69, ACC32, 2, "TotVAh_SF", "TotVAhImpPhC"),  # VAh
    (71, SF, 1, None, "TotVAh_SF"),
    (72, ACC32, 2, "TotVArh_SF", "TotVArhImpQ1"),  # varh
    (74, ACC32, 2, "TotVArh_SF", "TotVArhImpQ1PhA"),  # varh
    (76, ACC32, 2, "TotVArh_SF", "TotVArhImpQ1PhB"),  # varh
    (78, ACC32, 2, "TotVArh_SF", "TotVArhImpQ1PhC"),  # varh
    (80, ACC32, 2, "TotVArh_SF", "TotVArhImpQ2"),  # varh
    (82, ACC32, 2, "TotVArh_SF", "TotVArhImpQ2PhA"),  # varh
    (84, ACC32, 2, "TotVArh_SF", "TotVArhImpQ2PhB"),  # varh
    (86, ACC32, 2, "TotVArh_SF", "TotVArhImpQ2PhC"),  # varh
    (88, ACC32, 2, "TotVArh_SF", "TotVArhExpQ3"),  # varh
    (90, ACC32, 2, "TotVArh_SF", "TotVArhExpQ3PhA"),  # varh
    (92, ACC32, 2, "TotVArh_SF", "TotVArhExpQ3PhB"),  # varh
    (94, ACC32, 2, "TotVArh_SF", "TotVArhExpQ3PhC"),  # varh
    (96, ACC32, 2, "TotVArh_SF", "TotVArhExpQ4"),  # varh
    (98, ACC32, 2, "TotVArh_SF", "TotVArhExpQ4PhA"),  # varh
    (100, ACC32, 2, "TotVArh_SF", "TotVArhExpQ4PhB"),  # varh
    (102, ACC32, 2, "TotVArh_SF", "TotVArhExpQ4PhC"),  # varh
    (104, SF, 1, None, "TotVArh_SF"),
    (105, BITS32, 2, None, "Evt"),
)

# Meter, float32
MODEL_213 = (
    (2, F32, 2, None, "A"),  # A
    (4, F32, 2, None, "AphA"),  # A
    (6, F32, 2, None, "AphB"),  # A
    (8, F32, 2, None, "AphC"),  # A
    (10, F32, 2, None, "PhV"),  # V
    (12, F32, 2, None, "PhVphA"),  # V
    (14, F32, 2, None, "PhVphB"),  # V
    (16, F32, 2, None, "PhVphC"),  # V
    (18, F32, 2, None, "PPV"),  # V
    (20, F32, 2, None, "PPVphAB"),  # V
    (22, F32, 2, None, "PPVphBC"),  # V
    (24, F32, 2, None, "PPVphCA"),  # V
    (26, F32, 2, None, "Hz"),  # Hz
    (28, F32, 2, None, "W"),  # W
    (30, F32, 2, None, "WphA"),  # W
    (32, F32, 2, None, "WphB"),  # W
    (34, F32, 2, None, "WphC"),  # W
    (36, F32, 2, None, "VA"),  # VA
    (38, F32, 2, None, "VAphA"),  # VA
    (40, F32, 2, None, "VAphB"),  # VA
    (42, F32, 2, None, "VAphC"),  # VA
    (44, F32, 2, None, "VAR"),  # var
    (46, F32, 2, None, "VARphA"),  # var
    (48, F32, 2, None, "VARphB"),  # var
    (50, F32, 2, None, "VARphC"),  # var
    (52, F32, 2, None, "PF"),  # PF
    (54, F32, 2, None, "PFphA"),  # PF
    (56, F32, 2, None, "PFphB"),  # PF
    (58, F32, 2, None, "PFphC"),  # PF
    (60, F32, 2, None, "TotWhExp"),  # Wh
    (62, F32, 2, None, "TotWhExpPhA"),  # Wh
    (64, F32, 2, None, "TotWhExpPhB"),  # Wh
    (66, F32, 2, None, "TotWhExpPhC"),  # Wh
    (68, F32, 2, None, "TotWhImp"),  # Wh
    (70, F32, 2, None, "TotWhImpPhA"),  # Wh
    (72, F32, 2, None, "TotWhImpPhB"),  # Wh
    (74, F32, 2, None, "TotWhImpPhC"),  # Wh
    (76, F32, 2, None, "TotVAhExp"),  # VAh
    (78, F32, 2, None, "TotVAhExpPhA"),  # VAh
    (80, F32, 2, None, "TotVAhExpPhB"),  # VAh
    (82, F32, 2, None, "TotVAhExpPhC"),  # VAh
    (84, F32, 2, None, "TotVAhImp"),  # VAh
    (86, F32, 2, None, "TotVAhImpPhA"),  # VAh
    (88, F32, 2, None, "TotVAhImpPhB"),  # VAh
    (90, F32, 2, None, "TotVAhImpPhC"),  # VAh
    (92, F32, 2, None, "TotVArhImpQ1"),  # varh
    (94, F32, 2, None, "TotVArhImpQ1phA"),  # varh
    (96, F32, 2, None, "TotVArhImpQ1phB"),  # varh
    (98, F32, 2, None, "TotVArhImpQ1phC"),  # varh
    (100, F32, 2, None, "TotVArhImpQ2"),  # varh
    (102, F32, 2, None, "TotVArhImpQ2phA"),  # varh
    (104, F32, 2, None, "TotVArhImpQ2phB"),  # varh
    (106, F32, 2, None, "TotVArhImpQ2phC"),  # varh
    (108, F32, 2, None, "TotVArhExpQ3"),  # varh
    (110, F32, 2, None, "TotVArhExpQ3phA"),  # varh
    (112, F32, 2, None, "TotVArhExpQ3phB"),  # varh
    (114, F32, 2, None, "TotVArhExpQ3phC"),  # varh
    (116, F32, 2, None, "TotVArhExpQ4"),  # varh
    (118, F32, 2, None, "TotVArhExpQ4phA"),  # varh
    (120, F32, 2, None, "TotVArhExpQ4phB"),  # varh
    (122, F32, 2, None, "TotVArhExpQ4phC"),  # varh
    (124, BITS32, 2, None, "Evt"),
)
