# SPDX-License-Identifier: GPL-2.0-only
"""What a scenario is: frozen values that check themselves, with unit, range and source."""
