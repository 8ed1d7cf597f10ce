/* SPDX-License-Identifier: GPL-2.0-only */
/* What loads the path: producers, and at the same time a hog of memory, RCU readers, a prober. */
static bool stop_all;
static atomic_t running;
static struct completion go, all_done;

static bool stock_free(struct caller *c, void *ptr);

static void sleep_until(u64 t)
{
	ktime_t at = ns_to_ktime(t);

	set_current_state(TASK_IDLE);
	schedule_hrtimeout_range(&at, 0, HRTIMER_MODE_ABS);
}

static int bin_of(u64 x)		/* 0 to 7 as they are, then 8-15, 16-31, ... */
{
	return x < 8 ? x : min_t(int, BINS - 1, 5 + fls64(x));
}

/* ---- producers */
enum { SECOND_CHANNEL = 1, TWO_ARGUMENTS = 2, FROM_VMALLOC = 4 };	/* bits of a kind of call; 0: plain */

static noinline int draw_kind(struct caller *c)
{
	int kind = 0;

	if (ch1_pct && draw(&c->for_channel) % 100 < ch1_pct)
		kind = SECOND_CHANNEL;
	if (vmalloc_pct && draw(&c->for_vmalloc) % 100 < vmalloc_pct)
		kind = SECOND_CHANNEL | FROM_VMALLOC;
	if (double_pct && draw(&c->for_double) % 100 < double_pct)
		kind |= TWO_ARGUMENTS;
	return kind;
}

static noinline bool free_kind(struct caller *c, void *ptr, int kind, bool on)
{
	c->n_of.vmalloc_calls += !!(kind & FROM_VMALLOC);
	if (!(kind & TWO_ARGUMENTS))
		return free_single(c, ptr, !!(kind & SECOND_CHANNEL), on);
	free_double(c, ptr, !!(kind & SECOND_CHANNEL), on);
	return false;
}

static int producer_fn(void *arg)
{
	const bool kinds = ch1_pct || vmalloc_pct || double_pct;
	const u64 period = (u64)period_us * NSEC_PER_USEC;
	struct caller *c = arg;
	u64 next, now, made = 0, t0;
	int i;

	wait_for_completion(&go);
	next = t_start + (u64)lead_ms * NSEC_PER_MSEC + period * c->id / n_callers;
	while (!READ_ONCE(stop_all)) {
		now = ktime_get_ns();
		if (next > now)
			sleep_until(min(next, t_end));
		now = ktime_get_ns();
		if (now >= t_end)
			break;
		c->n_of.bursts++;
		for (i = 0; i < burst; i++) {
			void *ptr;
			bool on, waited;
			int kind = 0, later, k, ms;

			if (total && made >= total)
				goto out;
			if (kinds)
				kind = draw_kind(c);
			if (c->objects) {
				if (made >= c->n_objects)
					goto out;
				ptr = c->objects[made];
			} else if (unlikely(kind & FROM_VMALLOC)) {
				ptr = vmalloc(objsize);
			} else {
				ptr = kmalloc(objsize, GFP_KERNEL);
			}
			if (!ptr)
				goto out;
			made++;
			t0 = ktime_get_ns();
			if (t0 >= t_end) {
				kvfree(ptr);
				goto out;
			}
			on = pressure_on(&c->at, t0);
			if (unlikely(mode == 2))
				waited = stock_free(c, ptr);
			else if (unlikely(kind))
				waited = free_kind(c, ptr, kind, on);
			else
				waited = free_single(c, ptr, 0, on);
			c->t_last = ktime_get_ns();
			sample(&call_times, c->t_last - t0);
			c->n_of.calls++;
			if (on) {
				later = c->at.passed > 1;
				k = bin_of(c->at.calls);
				ms = bin_of((t0 - t_start - switches[c->at.passed - 1]) / NSEC_PER_MSEC);
				c->at.calls++;
				c->n_of.calls_on++;
				c->by_call[later][k]++;
				c->by_ms[later][ms]++;
				if (waited) {
					c->n_of.sync_on++;
					c->by_call_sync[later][k]++;
					c->by_ms_sync[later][ms]++;
				}
			}
			if ((made & 63) == 0)
				cond_resched();
		}
		next += arrival ? draw_exp(&c->for_arrival, period) : period;
		now = ktime_get_ns();
		if (next < now) {
			c->n_of.lag_bursts++;
			if (!catchup)
				next = now;
		}
	}
out:
	for (; c->objects && made < c->n_objects; made++)	/* those it did not come to */
		kfree(c->objects[made]);
	if (atomic_dec_and_test(&running))
		complete_all(&all_done);
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

static void make_objects(struct caller *c)
{
	int i;

	c->objects = vzalloc(total * sizeof(void *));
	for (i = 0; c->objects && i < total; i++) {
		c->objects[i] = kmalloc(objsize, GFP_KERNEL);
		if (!c->objects[i])
			break;
		c->n_objects++;
		if ((i & 1023) == 0)
			cond_resched();
	}
	for (i = c->n_objects - 1; preobj_shuffle && i > 0; i--) {
		int k = draw(&c->for_channel) % (i + 1);	/* not inside swap(), which would draw twice */

		swap(c->objects[i], c->objects[k]);
	}
}

static int producers_init(void)
{
	int i, cpu = -1;

	init_completion(&go);
	init_completion(&all_done);
	atomic_set(&running, n_callers);
	for (i = 0; i < n_callers; i++) {
		struct caller *c = &callers[i];

		c->id = i;
		stream_init(&c->for_page, i, FOR_PAGE);
		stream_init(&c->for_wrapper, i, FOR_WRAPPER);
		stream_init(&c->for_arrival, i, FOR_ARRIVAL);
		stream_init(&c->for_channel, i, FOR_CHANNEL);
		stream_init(&c->for_double, i, FOR_DOUBLE);
		stream_init(&c->for_vmalloc, i, FOR_VMALLOC);
		if (preobj && total)
			make_objects(c);
	}
	for (i = 0; i < n_callers; i++) {
		struct task_struct *t = kthread_create(producer_fn, &callers[i], "krcmeter/%d", i);

		if (IS_ERR(t))
			return PTR_ERR(t);
		if (bind) {
			cpu = cpumask_next(cpu, cpu_online_mask);
			if (cpu >= nr_cpu_ids)
				cpu = cpumask_first(cpu_online_mask);
			kthread_bind(t, cpu);
		}
		callers[i].task = t;
		wake_up_process(t);
	}
	return 0;
}

/* ---- hog: takes all pages that its flags give, while there is pressure */
static struct task_struct *hog_task;
static u64 hog_pages, hog_max, hog_grabs;
static void *hog_list;

static void hog_give_back(void)
{
	while (hog_list) {
		void *next = *(void **)hog_list;

		free_page((unsigned long)hog_list);
		hog_list = next;
		if ((--hog_pages & 255) == 0)
			cond_resched();
	}
}

static void hog_take(gfp_t gfp)
{
	int n = 0;

	hog_grabs++;
	while (!kthread_should_stop()) {
		void *page;

		if (hog >= 3 && hog_keep && global_zone_page_state(NR_FREE_PAGES) <= hog_keep)
			break;
		page = (void *)__get_free_page(gfp);
		if (!page)
			break;
		*(void **)page = hog_list;
		hog_list = page;
		hog_pages++;
		if ((++n & 255) == 0)
			cond_resched();
	}
	hog_max = max(hog_max, hog_pages);
}

static int hog_fn(void *arg)
{
	static const gfp_t flags[] = { 0, GFP_NOWAIT, GFP_ATOMIC | __GFP_HIGH,
				       GFP_ATOMIC | __GFP_HIGH | __GFP_MEMALLOC };
	struct place at = { 0 };

	while (!kthread_should_stop()) {
		if (pressure_on(&at, ktime_get_ns()))
			hog_take(flags[hog] | __GFP_NOWARN);
		else
			hog_give_back();
		sleep_until(ktime_get_ns() + (u64)hog_us * NSEC_PER_USEC);
	}
	hog_give_back();
	return 0;
}

/* ---- readers make grace periods longer at little CPU time: preemptible (preempt=full), and nice 19 */
#define MOST_CPUS 64
static struct task_struct *reader_tasks[MOST_CPUS];
static int n_readers;

static int reader_fn(void *arg)
{
	while (!kthread_should_stop()) {
		u64 until = ktime_get_ns() + (u64)reader_ms * NSEC_PER_MSEC;

		rcu_read_lock();
		while (ktime_get_ns() < until)
			barrier();
		rcu_read_unlock();
		sleep_until(ktime_get_ns() + (u64)reader_gap_us * NSEC_PER_USEC);
	}
	return 0;
}

static int on_each_cpu_run(int (*fn)(void *), const char *name, int nice, struct task_struct **tasks)
{
	int cpu, n = 0;

	for_each_online_cpu(cpu) {
		struct task_struct *t = n < MOST_CPUS ? kthread_create_on_cpu(fn, NULL, cpu, name) : NULL;

		if (IS_ERR_OR_NULL(t))
			break;
		set_user_nice(t, nice);
		tasks[n++] = t;
		wake_up_process(t);
	}
	return n;
}

/* ---- lengths of grace periods as a caller sees them: under load, and alone (mode 1) */
static struct task_struct *probe_task;

static int probe_fn(void *arg)
{
	while (!kthread_should_stop()) {
		u64 t = ktime_get_ns();

		synchronize_rcu();
		sample(&probe_waits, ktime_get_ns() - t);
		schedule_timeout_idle(HZ / 20);
	}
	return 0;
}

static int spin_fn(void *arg)		/* keeps a CPU busy, and lets others in */
{
	while (!kthread_should_stop()) {
		int i;

		for (i = 0; i < 20000; i++)
			barrier();
		cond_resched();
	}
	return 0;
}

static const char * const gp_case_names[] = { "idle_normal", "idle_expedited", "idle_backtoback",
					      "busy_normal", "busy_expedited", "busy_backtoback" };

static int gp_case(int which)
{
	const int gap_us = which % 3 == 2 ? 0 : 20000;
	struct stream s;
	int i;

	if (samples_init(&gp_cases[which]))
		return -ENOMEM;
	stream_init(&s, which, FOR_GP_CASE);
	for (i = 0; i < gp_n; i++) {
		u64 t;

		if (gap_us)
			sleep_until(ktime_get_ns() + (u64)gap_us * NSEC_PER_USEC +
				    draw(&s) % (gap_us * NSEC_PER_USEC));
		t = ktime_get_ns();
		if (which % 3 == 1)
			synchronize_rcu_expedited();
		else
			synchronize_rcu();
		sample(&gp_cases[which], ktime_get_ns() - t);
	}
	return 0;
}

static int gp_cases_run(void)
{
	struct task_struct *spinners[MOST_CPUS];
	int i, n = 0, r = 0;

	for (i = 0; i < 6 && !r; i++) {
		if (i == 3)
			n = on_each_cpu_run(spin_fn, "krcmeter_spin/%u", 0, spinners);
		r = gp_case(i);
	}
	while (n--)
		kthread_stop(spinners[n]);
	return r;
}
