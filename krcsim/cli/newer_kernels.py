# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim kernel --kernel`: a scenario measured on newer kernels with their own kfree_rcu()."""

from collections.abc import Sequence
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_all
from krcsim.cli import mainline_answer, streams
from krcsim.cli.verbs.kernel import Kernel, files_of, instead
from krcsim.guest.gaps import set_words
from krcsim.guest.job import Job
from krcsim.guest.mainline.build import all_ready
from krcsim.guest.mainline.job import job_of, sets_for
from krcsim.guest.mainline.measure import Measured, measure
from krcsim.guest.mainline.predicted import predictions, why_not
from krcsim.guest.mainline.rows import flat
from krcsim.guest.mainline.series import Series
from krcsim.model.scenario import Scenario


def run(
    scenario: Scenario,
    series: Sequence[Series],
    targets: Sequence[Path],
    options: Kernel,
    command: str,
) -> None:
    """Print the line and what it cannot express; with --run measure, beside what is predicted."""
    if options.remedies:
        raise KrcsimError(
            "--remedies and --kernel cannot be given together: a newer kernel has its own "
            "kfree_rcu(); leave one out"
        )
    job = job_of(scenario, options.cpus)
    wanted = set_words(sets_for(scenario, options.cpus)) if job.stops else ""
    if options.run and wanted:
        raise KrcsimError(
            f"the guest cannot measure this as it is; add {wanted}{instead(options, wanted)}; "
            "without --run it says why"
        )

    measured, failures = _measured(job, series, options) if options.run else ({}, [])
    predicted = {
        one.name: predictions(one, scenario, options.cpus, options.seeds)
        for one in series
        if one.name in measured
    }

    said = [*failures, *filter(None, [why_not(series)])]
    whole = mainline_answer.json_of(job, measured, predicted, said, wanted, command)
    every = [row for one in measured.values() for row in flat(one)]
    has_failed = options.run and not every
    if not has_failed:
        write_all(files_of(targets, every, whole), overwrite=options.overwrite)
    if options.json:
        streams.say(whole, end="")
    else:
        streams.say(mainline_answer.text_of(job, measured, predicted, said, wanted))
    if has_failed:
        raise KrcsimError("nothing was measured; above it says why")


def _measured(
    job: Job, series: Sequence[Series], options: Kernel
) -> tuple[dict[str, Measured], list[str]]:
    """What was measured on each kernel that could be had, and why the others could not."""
    say = (lambda _: None) if options.quiet else (lambda text: streams.note(f"{text}\n"))
    builds, failures = all_ready(series, None, say)
    if not builds:
        raise KrcsimError(next(iter(failures.values())))

    lines = [job.line(seed) for seed in range(1, options.seeds + 1)]
    measured = measure(builds, dict.fromkeys(builds, lines), dict.fromkeys(builds, job.boot), say)
    return measured, [f"Linux {name} was not measured: {why}." for name, why in failures.items()]
