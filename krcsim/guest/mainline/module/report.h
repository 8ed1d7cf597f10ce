/* SPDX-License-Identifier: GPL-2.0-only */
/* The result of an experiment: one line of JSON in /proc/krcstock. */
#define NUMBER(name, value) seq_printf(m, ",\"" #name "\":%lld", (s64)(value));

static void show_span(struct seq_file *m, const char *name, struct span *s)
{
	u64 mean = s->count ? div64_u64(s->sum, s->count) : 0;

	seq_printf(m, ",\"%s_n\":%llu,\"%s_min_us\":%llu,\"%s_mean_us\":%llu,\"%s_max_us\":%llu", name, s->count,
		   name, div_u64(s->least, 1000), name, div_u64(mean, 1000), name, div_u64(s->most, 1000));
}

static void show_times(struct seq_file *m, const char *name, u32 *times, u64 count)
{
	int i;

	seq_printf(m, ",\"%s\":[", name);
	for (i = 0; i < min_t(u64, count, KEPT_TIMES); i++)
		seq_printf(m, "%s%u", i ? "," : "", times[i]);
	seq_puts(m, "]");
}

/* The symbols that have no probe, so that what is counted there stays 0 */
static void show_missing(struct seq_file *m)
{
	bool first = true;
	int i;

	seq_puts(m, ",\"missing\":\"");
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (probes[i].set)
			continue;
		seq_printf(m, "%s%s", first ? "" : " ", probes[i].name);
		first = false;
	}
	seq_printf(m, "%s\"", barrier_of_kernel ? "" : first ? "kvfree_rcu_barrier" : " kvfree_rcu_barrier");
}

static int show(struct seq_file *m, void *v)
{
	int i;

	seq_printf(m, "{\"label\":\"%s\",\"release\":\"%s\",\"cpus\":%d,\"hz\":%d", label, init_utsname()->release,
		   num_online_cpus(), HZ);
#define SHOW_PARAMETER(name, ...) NUMBER(name, name)
	NUMBER(mode, 2)			/* kvfree_rcu() of this kernel, as krcmeter calls it */
	PARAMETERS(SHOW_PARAMETER)
	show_missing(m);
	NUMBER(probes_missed, probes_missed)
	NUMBER(episodes, (n_switches + 1) / 2)
	NUMBER(run_ns, run_ns)
#define SHOW_CALLERS(name) ({ u64 sum = 0; for (i = 0; i < n_callers; i++) sum += callers[i].n.name; NUMBER(name, sum) });
	CALLER_COUNTS(SHOW_CALLERS)
#define SHOW_SEEN(name) NUMBER(name, seen.name)
	SHOW_SEEN(in_sheaf) SHOW_SEEN(in_bulk) SHOW_SEEN(in_vmalloc) SHOW_SEEN(in_list)
	SHOW_SEEN(sheaf_requests) SHOW_SEEN(sheaves) SHOW_SEEN(sheaf_largest)
	SHOW_SEEN(monitors) SHOW_SEEN(batches) SHOW_SEEN(works) SHOW_SEEN(blocks_by_monitor) SHOW_SEEN(blocks_by_work)
	SHOW_SEEN(refills) SHOW_SEEN(refill_try) SHOW_SEEN(refill_fail) SHOW_SEEN(backoffs) SHOW_SEEN(scans)
	SHOW_SEEN(gfp_call) SHOW_SEEN(gfp_refill) SHOW_SEEN(gp_count)
#define SHOW_IN_RUN(name) NUMBER(run_##name, in_run.name)
	SHOW_IN_RUN(monitors) SHOW_IN_RUN(batches) SHOW_IN_RUN(works) SHOW_IN_RUN(blocks_by_monitor)
	SHOW_IN_RUN(blocks_by_work) SHOW_IN_RUN(refills) SHOW_IN_RUN(refill_try) SHOW_IN_RUN(refill_fail)
	SHOW_IN_RUN(sheaf_requests) SHOW_IN_RUN(sheaves) SHOW_IN_RUN(backoffs) SHOW_IN_RUN(scans) SHOW_IN_RUN(gp_count)
	NUMBER(free_pages_before, free_before)
	NUMBER(managed_pages, totalram_pages())
	NUMBER(hog_most, hog_most)
	NUMBER(background, background_asked)
	NUMBER(others_try, others_try)
	NUMBER(others_fail, others_fail)
	NUMBER(held_most, held_most)
	NUMBER(held_after_settle, held_after_settle)
	NUMBER(settle_us, div_u64(settle_ns, 1000))
	NUMBER(held_after_barrier, held_after_barrier)
	NUMBER(barrier_us, div_u64(barrier_ns, 1000))
	NUMBER(destroy_us, div_u64(destroy_ns, 1000))
	show_samples(m, "stall", &stalls);
	show_samples(m, "wait", &wait_times);
	show_samples(m, "call", &call_times);
	show_span(m, "until_monitor", &seen.until_monitor);
	show_span(m, "until_work", &seen.until_work);
	show_quantiles(m, "gp_len_us", &grace_periods);
	show_times(m, "monitor_us", seen.monitor_us, seen.monitors);
	show_times(m, "work_us", seen.work_us, seen.works);
	show_times(m, "sheaf_us", seen.sheaf_us, seen.sheaves);
	show_times(m, "refill_us", seen.refill_us, seen.refills);
	seq_puts(m, "}\n");
	return 0;
}
