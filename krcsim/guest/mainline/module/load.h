/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads that call, and when. */
static struct completion all_prepared, go, all_done;
static atomic_t unprepared, running;
static u64 run_ns, settle_ns, barrier_ns, destroy_ns;
static s64 held_after_settle, held_after_barrier;

static void *object_new(struct source *s, bool from_vmalloc)
{
	if (preobj)
		return s->ready ? s->objects[--s->ready] : NULL;
	if (from_vmalloc)
		return vmalloc(object_bytes());
	return own ? kmem_cache_alloc(own, GFP_KERNEL) : kmalloc(object_bytes(), GFP_KERNEL);
}

/* The kernel's own calls. What waits has freed the object when it returns, so the mark must go before. */
static noinline void call(void *ptr, bool two_arguments)
{
	struct object *object = ptr;

	if (two_arguments)
		kvfree_rcu(object, head);
	else
#ifdef kvfree_rcu_mightsleep
		kvfree_rcu_mightsleep(object);
#else
		kvfree_rcu(object);
#endif
}

/* ---- when: gaps are drawn in time that the source is on */
static void switch_on(struct source *s)
{
	u64 on = (u64)phase_on_us * NSEC_PER_USEC, off = (u64)phase_off_us * NSEC_PER_USEC;

	s->due = s->on_until + draw_exp(&s->for_arrival, off);
	s->on_until = s->due + draw_exp(&s->for_arrival, on);
}

static void draw_due(struct source *s)
{
	u64 period = (u64)period_us * NSEC_PER_USEC, gap = arrival ? draw_exp(&s->for_arrival, period) : period;

	while (phase_on_us && s->due + gap > s->on_until && s->due < t_end) {
		u64 late = s->due;		/* later than a phase that passed while a closed loop waited */

		if (s->on_until > s->due)
			gap -= s->on_until - s->due;
		switch_on(s);
		s->due = max(s->due, late);
	}
	s->due += gap;
}

static void first_due(struct source *s, int i)
{
	s->due = t_start + (u64)phase_us * NSEC_PER_USEC;
	s->on_until = t_start;
	if (phase_on_us) {
		if (draw(&s->for_arrival) % ((u64)phase_on_us + phase_off_us) < phase_on_us)
			s->on_until = t_start + draw_exp(&s->for_arrival, (u64)phase_on_us * NSEC_PER_USEC);
		else
			switch_on(s);
	}
	if (arrival && !at_once)
		draw_due(s);
	else
		s->due += (u64)period_us * NSEC_PER_USEC * i / n_sources;
}

/* Sleep until the next call is due; false when there is none any more. */
static bool next_call(struct caller *c)
{
	struct source *s = c->source;
	u64 now = ktime_get_ns();

	if (total && s->made >= total)
		return false;
	if (!s->left) {
		if (s->due < now && s->made) {
			c->n.late_bursts++;
			if (!catchup)
				s->due = now;
		}
		if (s->due > now)
			sleep_until(min(s->due, t_end));
		s->left = burst;
		draw_due(s);
	}
	if (ktime_get_ns() >= t_end)
		return false;
	s->left--;
	s->made++;
	return true;
}

/* ---- one call */
static bool make_call(struct caller *c)
{
	struct source *s = c->source;
	bool from_vmalloc = vmalloc_pct && draw(&s->for_vmalloc) % 100 < vmalloc_pct;
	bool two_arguments = double_pct && draw(&s->for_double) % 100 < double_pct;
	void *ptr = object_new(s, from_vmalloc);
	u64 before, took;

	if (!ptr)
		return false;
	mark(ptr);
	c->waited = c->offered = c->refused = false;
	atomic64_inc(&queued);
	before = ktime_get_ns();
	WRITE_ONCE(c->in_call, true);
	call(ptr, two_arguments);
	WRITE_ONCE(c->in_call, false);
	took = ktime_get_ns() - before;

	c->n.calls++;
	c->n.double_calls += two_arguments;
	c->n.vmalloc_calls += from_vmalloc;
	sample(&call_times, took);
	if (c->waited) {			/* it was freed by the call itself */
		atomic64_dec(&queued);
		c->n.waits++;
		c->n.wait_ns += took;
		sample(&wait_times, took);
	} else if ((!c->offered || c->refused) && !seen.first_stored) {
		seen.first_stored = before;	/* in a block or on the list */
	}
	if (held() > held_most)
		held_most = held();
	if (!(c->n.calls & 63))
		cond_resched();
	return true;
}

/* ---- threads */

static void make_objects(struct source *s)
{
	s->objects = vzalloc(total * sizeof(void *));
	while (s->objects && s->ready < total) {
		void *ptr = own ? kmem_cache_alloc(own, GFP_KERNEL) : kmalloc(object_bytes(), GFP_KERNEL);

		if (!ptr)
			break;
		s->objects[s->ready++] = ptr;
		if (!(s->ready & 1023))
			cond_resched();
	}
}

/* Fill the page cache of this CPU: a call that gets no page has the kernel's worker top it up. */
static void prepare(struct caller *c)
{
	void *ptr = cached ? vmalloc(PAGE_SIZE) : NULL;

	if (!ptr)
		return;
	c->must_miss = true;
	WRITE_ONCE(c->in_call, true);
	call(ptr, false);
	WRITE_ONCE(c->in_call, false);
	c->must_miss = c->waited = false;
	msleep(100);
}

/* Let no timer run that the kernel's own calls have armed: the barrier cancels it, else it has to pass. */
static void quiet_monitors(void)
{
	if (barrier_of_kernel)
		barrier_of_kernel();
	else
		msleep(5300);			/* 5 s, and a granule of the timer wheel */
}

/*
 * Empty the page caches of all CPUs: the shrinker's scan does, without the back-off that its count sets. It also
 * runs the monitors, so pages come back when the works are done.
 */
static void empty_caches(void)
{
	struct shrink_control all = { .gfp_mask = GFP_KERNEL };
	int i;

	WRITE_ONCE(no_refill, true);
	for (i = 0; i < 2 && scan_of_kernel; i++) {
		all.nr_to_scan = ULONG_MAX;
		scan_of_kernel(NULL, &all);
		msleep(100);
	}
}

/*
 * The clock of a run starts just after a tick whose jiffies are a multiple of the coarsest granule that its timers
 * have, some jiffies `before` that: so all runs see the same timer wheel.
 */
#define GRANULE 512

static void wait_for_granule(unsigned long before)
{
	unsigned long at = round_up(jiffies + before + 3, GRANULE) - before;

	while (time_before(jiffies + 3, at))
		schedule_timeout_uninterruptible(at - jiffies > 600 ? 250 : 1);
	while (time_before(jiffies, at))
		cpu_relax();
}

static void hand_on(struct irq_work *work)
{
	complete(&container_of(work, struct source, hand_on)->turn);
}

static void source_ends(struct source *s)
{
	WRITE_ONCE(s->over, true);
	complete_all(&s->turn);
}

static int caller_fn(void *arg)
{
	struct caller *c = arg;
	struct source *s = c->source;

	if (c->leads) {
		if ((s - sources) % producers == 0)	/* the first on its CPU */
			prepare(c);
		if (preobj)
			make_objects(s);
		if (atomic_dec_and_test(&unprepared))
			complete_all(&all_prepared);
	}
	wait_for_completion(&go);
	if (c->leads)
		first_due(s, s - sources);
	for (;;) {
		if (!c->leads) {
			atomic_inc(&s->idle);
			wait_for_completion(&s->turn);
			atomic_dec(&s->idle);
			if (READ_ONCE(s->over))
				break;
			c->leads = true;
		}
		if (!next_call(c)) {
			source_ends(s);
			break;
		}
		if (waiters && !atomic_read(&s->idle))
			c->n.waiter_full++;
		if (!make_call(c) && c->leads) {
			source_ends(s);
			break;
		}
	}
	if (atomic_dec_and_test(&running))
		complete_all(&all_done);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static void source_init(struct source *s, int i, int cpu)
{
	s->cpu = cpu;
	stream_init(&s->for_arrival, i, FOR_ARRIVAL);
	stream_init(&s->for_page, i, FOR_PAGE);
	stream_init(&s->for_sheaf, i, FOR_SHEAF);
	stream_init(&s->for_slab, i, FOR_SLAB);
	stream_init(&s->for_double, i, FOR_DOUBLE);
	stream_init(&s->for_vmalloc, i, FOR_VMALLOC);
	init_completion(&s->turn);
	init_irq_work(&s->hand_on, hand_on);
}

/* Callers on all CPUs in turn; the first of a source leads. Threads that began cannot be left behind. */
static void threads_begin(void)
{
	int i, cpu = -1;

	init_completion(&all_prepared);
	init_completion(&go);
	init_completion(&all_done);
	atomic_set(&unprepared, n_sources);
	atomic_set(&running, n_callers);
	for (i = 0; i < n_sources; i++) {
		if (i % producers == 0)
			cpu = cpumask_next(cpu, cpu_online_mask);
		source_init(&sources[i], i, cpu);
	}
	for (i = 0; i < n_callers; i++) {
		struct caller *c = &callers[i];

		c->source = &sources[i % n_sources];
		c->leads = i < n_sources;
		c->task = kthread_create(caller_fn, c, "krcstock/%d", i);
		if (IS_ERR(c->task) || c->task->pid >= MOST_PIDS)
			panic("krcstock: no memory for the threads of the run\n");
		by_pid[c->task->pid] = c;
		kthread_bind(c->task, c->source->cpu);
		wake_up_process(c->task);
	}
}

static void threads_end(void)
{
	int i;

	for (i = 0; i < n_callers; i++)
		kthread_stop(callers[i].task);
}
