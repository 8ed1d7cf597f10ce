# SPDX-License-Identifier: GPL-2.0-only
"""The model against a running kernel: a scenario measured in a guest, and what the model predicts.

parameters, boot and build know the guest; job and gaps turn a scenario into a line of parameters;
matrix measures sets of conditions; recordings and recorded_scenario read what was measured; score
holds the model against it.
"""
