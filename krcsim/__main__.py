# SPDX-License-Identifier: GPL-2.0-only
"""`python -m krcsim`: the command line, as the command `krcsim` is."""

import sys

from krcsim.cli.main import main

sys.exit(main())
