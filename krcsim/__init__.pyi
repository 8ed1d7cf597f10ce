# SPDX-License-Identifier: GPL-2.0-only
# Public names and where they live; read by lazy_loader, by mypy and by editors.
from .base.errors import FieldError as FieldError
from .base.errors import KrcsimError as KrcsimError
from .methods.finding import Finding as Finding
from .model.allocator import Allocator as Allocator
from .model.allocator import Failure as Failure
from .model.calls import RecordedCalls as RecordedCalls
from .model.calls import counted_calls as counted_calls
from .model.calls import timed_calls as timed_calls
from .model.grace_period import GracePeriod as GracePeriod
from .model.machine import Machine as Machine
from .model.memory import Memory as Memory
from .model.remedy import REMEDIES as REMEDIES
from .model.remedy import Remedy as Remedy
from .model.remedy import named as named
from .model.remedy import pages as pages
from .model.remedy import pool as pool
from .model.scenario import Scenario as Scenario
from .model.scenario import changed as changed
from .model.scenario_file import load_scenario as load_scenario
from .model.scenario_file import presets as presets
from .model.scenario_file import toml_text as toml_text
from .model.workload import Workload as Workload
from .report.episode import one_episode as one_episode
from .report.episode_words import story as story
from .report.reply import answer_text as answer_text
from .results.estimate import Estimate as Estimate
from .results.legend import legend as legend
from .results.result import Result as Result
from .results.result import load_result as load_result
from .results.verdict import verdict as verdict
from .studies.ask import ask as ask
from .studies.ask import asking as asking
from .studies.compare import compare as compare
from .studies.compare import episodes as episodes
from .studies.frontier import frontier as frontier
from .studies.sensitivity import sensitivity as sensitivity
from .studies.simulate import Run as Run
from .studies.simulate import simulate as simulate
from .studies.size import size as size
from .studies.size import worth as worth
from .studies.sized import Sized as Sized
from .studies.thread_answered import thread_answered as thread_answered
from .studies.which_kernel import which_kernel as which_kernel
from .sweeps.grid import sweep as sweep

__version__: str
