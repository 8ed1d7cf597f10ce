# SPDX-License-Identifier: GPL-2.0-only
"""What all rooms use: errors in a sentence, fields that check themselves, files in and out."""
