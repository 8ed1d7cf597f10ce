/* SPDX-License-Identifier: GPL-2.0-only */
/* Durations: count, sum and maximum of all, and up to 32768 of them for the percentiles. */
#define KEPT 32768

struct samples {
	u64 *v;
	atomic_t taken;
	atomic64_t count, sum;
	u64 max;
};

static int samples_init(struct samples *s)
{
	memset(s, 0, sizeof(*s));
	s->v = vzalloc(KEPT * sizeof(u64));
	return s->v ? 0 : -ENOMEM;
}

static void sample(struct samples *s, u64 ns)
{
	int i;

	if (!s->v)
		return;
	atomic64_inc(&s->count);
	atomic64_add(ns, &s->sum);
	if (ns > READ_ONCE(s->max))
		WRITE_ONCE(s->max, ns);
	i = atomic_inc_return(&s->taken) - 1;
	if (i < KEPT)
		s->v[i] = ns;
	else			/* replaces a kept one: a thinned record is good enough for percentiles */
		s->v[(ns ^ (ns >> 7) ^ i) % KEPT] = ns;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int samples_sort(struct samples *s)
{
	int n = s->v ? min(atomic_read(&s->taken), KEPT) : 0;

	if (n)
		sort(s->v, n, sizeof(u64), by_value, NULL);
	return n;
}

static void show_samples(struct seq_file *m, const char *name, struct samples *s)
{
	static const struct { const char *name; u64 pct; } at[] = { { "p50", 50 }, { "p90", 90 }, { "p99", 99 } };
	int n = samples_sort(s), i, histogram[32] = { 0 }, last = 0;
	u64 count = atomic64_read(&s->count);

	if (!n) {
		seq_printf(m, ",\"%s_n\":0", name);
		return;
	}
	seq_printf(m, ",\"%s_n\":%llu,\"%s_min_us\":%llu,\"%s_mean_us\":%llu", name, count, name,
		   s->v[0] / 1000, name, (u64)atomic64_read(&s->sum) / count / 1000);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		seq_printf(m, ",\"%s_%s_us\":%llu", name, at[i].name, s->v[n * at[i].pct / 100] / 1000);
	seq_printf(m, ",\"%s_max_us\":%llu,\"%s_hist_log2us\":[", name, s->max / 1000, name);
	for (i = 0; i < n; i++) {
		int b = min(31, fls64(s->v[i] / 1000));

		histogram[b]++;
		last = max(last, b);
	}
	for (i = 0; i <= last; i++)
		seq_printf(m, "%s%d", i ? "," : "", histogram[i]);
	seq_puts(m, "]");
}

/* 101 quantiles in us, from the shortest to the longest */
static void show_quantiles(struct seq_file *m, const char *name, struct samples *s)
{
	int n = samples_sort(s), i;

	seq_printf(m, ",\"%s\":[", name);
	for (i = 0; n && i <= 100; i++)
		seq_printf(m, "%s%llu", i ? "," : "", s->v[(u64)(n - 1) * i / 100] / 1000);
	seq_puts(m, "]");
}
