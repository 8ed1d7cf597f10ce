# SPDX-License-Identifier: GPL-2.0-only
# Public names and where they live; read by lazy_loader, by mypy and by editors.
from .against_a_kernel import AgainstAKernel as AgainstAKernel
from .claims_shown import ClaimsShown as ClaimsShown
from .cold_start import ColdStart as ColdStart
from .how_big import HowBig as HowBig
from .one_episode import OneEpisode as OneEpisode
from .pool_or_pages import PoolOrPages as PoolOrPages
from .pressure import Pressure as Pressure
from .rare_and_exact import RareAndExact as RareAndExact
from .stall_or_wait import stall_and_wait_ms as stall_and_wait_ms
from .stall_or_wait import stall_and_wait_picture as stall_and_wait_picture
from .which_kernel import WhichKernel as WhichKernel
from .your_machine import YourMachine as YourMachine
