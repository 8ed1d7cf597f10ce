# SPDX-License-Identifier: GPL-2.0-only
"""Ways to an answer: by construction, the exact chain, importance sampling, plain runs."""
