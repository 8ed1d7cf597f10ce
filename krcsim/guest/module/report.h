/* SPDX-License-Identifier: GPL-2.0-only */
/* The result of an experiment: one line of JSON in /proc/krcmeter. */
static u64 run_ns, free_before, free_mid;

#define OF_CALLERS(op, field) ({ u64 v_ = 0; int i_; \
	for (i_ = 0; i_ < n_callers; i_++) { v_ = op(v_, (u64)callers[i_].field); } \
	v_; })
#define OF_CPUS(op, field) ({ u64 v_ = 0; int i_; \
	for_each_possible_cpu(i_) { v_ = op(v_, (u64)per_cpu_ptr(percpus, i_)->field); } \
	v_; })
#define PLUS(a, b) ((a) + (b))
#define NUMBER(name, value) seq_printf(m, ",\"" #name "\":%llu", (u64)(value));

static void show_bins(struct seq_file *m, const char *name, size_t offset)
{
	u64 sum[BINS] = { 0 };
	int b, i, used = 0;

	for (i = 0; i < n_callers; i++)
		for (b = 0; b < BINS; b++)
			sum[b] += ((u64 *)((void *)&callers[i] + offset))[b];
	for (b = 0; b < BINS; b++)
		used = sum[b] ? b + 1 : used;
	seq_printf(m, ",\"%s\":[", name);
	for (b = 0; b < used; b++)
		seq_printf(m, "%s%llu", b ? "," : "", sum[b]);
	seq_puts(m, "]");
}

static void show_load(struct seq_file *m)
{
	static const struct { const char *name; size_t at; } bins[] = {
		{ "k_calls_first", offsetof(struct caller, by_call[0]) },
		{ "k_sync_first", offsetof(struct caller, by_call_sync[0]) },
		{ "k_calls_later", offsetof(struct caller, by_call[1]) },
		{ "k_sync_later", offsetof(struct caller, by_call_sync[1]) },
		{ "ms_calls_first", offsetof(struct caller, by_ms[0]) },
		{ "ms_sync_first", offsetof(struct caller, by_ms_sync[0]) },
		{ "ms_calls_later", offsetof(struct caller, by_ms[1]) },
		{ "ms_sync_later", offsetof(struct caller, by_ms_sync[1]) } };
	int i;

	NUMBER(run_ns, run_ns)
	NUMBER(episodes, (n_switches + 1) / 2)
#define SHOW_CALLERS(name) NUMBER(name, OF_CALLERS(PLUS, n_of.name))
#define SHOW_CPUS(name) NUMBER(name, OF_CPUS(PLUS, n_of.name))
	CALLER_COUNTS(SHOW_CALLERS)
	NUMBER(obj_ns_max, OF_CALLERS(max, obj_ns_max))
	CPU_COUNTS(SHOW_CPUS)
	NUMBER(max_pending_cpu, OF_CPUS(max, max_pending))
	NUMBER(max_pending, all_max_pending)
	NUMBER(hog_max, hog_max)
	NUMBER(hog_grabs, hog_grabs)
	NUMBER(free_pages_before, free_before)
	NUMBER(free_pages_mid, free_mid)
	if (mode == 2) {
		NUMBER(stock_sync, OF_CALLERS(PLUS, stock_sync))
		NUMBER(stock_page_call, OF_CALLERS(PLUS, stock_page_call))
		NUMBER(stock_page_fail, OF_CALLERS(PLUS, stock_page_fail))
		NUMBER(fill_runs, fill_runs)
		NUMBER(fill_pages, fill_pages)
		NUMBER(fill_fail, fill_fail)
		NUMBER(probes, probes)
	}
	for (i = 0; i < ARRAY_SIZE(bins); i++)
		show_bins(m, bins[i].name, bins[i].at);
	show_samples(m, "syncwait", &sync_waits);
	show_samples(m, "batchgp", &batch_waits);
	show_samples(m, "call", &call_times);
	show_samples(m, "montimer", &monitor_delays);
	show_samples(m, "probe", &probe_waits);
	if (gp_trace) {
		NUMBER(gp_count, gp_count)
		show_quantiles(m, "gp_len_us", &gp_lengths);
		show_quantiles(m, "gp_idle_us", &gp_idles);
	}
}

static int show(struct seq_file *m, void *v)
{
	int i;

	seq_printf(m, "{\"label\":\"%s\",\"variant\":\"%s\",\"release\":\"%s\",\"cpus\":%d,\"hz\":%d",
		   label, variant, init_utsname()->release, num_online_cpus(), HZ);
#define SHOW_PARAMETER(name, ...) seq_printf(m, ",\"" #name "\":%d", name);
	PARAMETERS(SHOW_PARAMETER)
	for (i = 0; mode == 1 && i < ARRAY_SIZE(gp_case_names); i++)
		show_samples(m, gp_case_names[i], &gp_cases[i]);
	if (mode != 1)
		show_load(m);
	seq_puts(m, "}\n");
	return 0;
}
