"""Many shifts with a fault in each, on simulated cameras, and a model that plays along: `make soak`.

Speaks to a camera only as a hand and a dock do. Imports nothing of the firmware.
"""
