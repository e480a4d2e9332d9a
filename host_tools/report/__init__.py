"""The report: one HTML file that stands by itself, made of run folders."""
