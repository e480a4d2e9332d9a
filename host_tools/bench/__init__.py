"""The benchmarks: what is measured, how, and the file the figures go to."""
