# SPDX-License-Identifier: GPL-2.0-only
"""krcsim beside a running kernel: the same scenario measured in a guest, and what the model says of
it.
"""
