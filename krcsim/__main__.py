# SPDX-License-Identifier: GPL-2.0-only
"""`python -m krcsim`: the shell, which lives beside the package in shell/krcsim.cli."""

import sys

from krcsim.cli.main import main

sys.exit(main())
