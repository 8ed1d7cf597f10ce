# SPDX-License-Identifier: GPL-2.0-only
"""The kernels that people run: their own kvfree_rcu() measured in a guest, from 6.1 to 7.3.

series and offers say which kernel is taken; packages, compiler and build make what a guest boots
from; job turns a scenario into a line of parameters; measure boots, and keeps what a guest that
fails gave before; predicted says what the model can say of a kernel; matrix measures sets of
conditions.
"""
