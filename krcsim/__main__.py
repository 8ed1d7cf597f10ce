# SPDX-License-Identifier: GPL-2.0-only
"""`python -m krcsim`: the shell, which lives beside the package in shell/krcsim_shell."""

import sys
from krcsim_shell.main import main

sys.exit(main())
