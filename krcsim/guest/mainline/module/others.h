/* SPDX-License-Identifier: GPL-2.0-only */
/* Who else is there during a run: a hog of memory, readers, and someone who asks for grace periods. */
#define MOST_CPUS 64
static struct task_struct *hog_task, *background_task, *readers[MOST_CPUS];
static int n_readers;
static u64 hog_pages, hog_most, free_before, background_asked;
static struct page *hog_list;

/* ---- the hog takes all pages that its flags give, while there is pressure */
static void hog_give_back(void)
{
	while (hog_list) {
		struct page *page = hog_list;

		hog_list = *(struct page **)page_address(page);
		__free_page(page);
		if ((--hog_pages & 255) == 0)
			cond_resched();
	}
}

static void hog_take(gfp_t gfp)
{
	while (!kthread_should_stop()) {
		struct page *page = alloc_page(gfp);	/* not a function that has a probe */

		if (!page)
			break;
		*(struct page **)page_address(page) = hog_list;
		hog_list = page;
		if ((++hog_pages & 255) == 0)
			cond_resched();
	}
	hog_most = max(hog_most, hog_pages);
}

static int hog_fn(void *arg)
{
	static const gfp_t flags[] = { 0, GFP_NOWAIT, GFP_ATOMIC, GFP_ATOMIC | __GFP_MEMALLOC };
	struct place at = { 0 };

	while (!kthread_should_stop()) {
		if (!counting || pressure_on(&at, ktime_get_ns()))
			hog_take(flags[hog] | __GFP_NOWARN);
		else
			hog_give_back();
		sleep_until(ktime_get_ns() + (u64)hog_us * NSEC_PER_USEC);
	}
	hog_give_back();
	return 0;
}

static void hog_begins(void)
{
	hog_task = kthread_run(hog_fn, NULL, "krcstock_hog");
}

/* ---- a reader makes grace periods longer at little CPU time: preemptible, and nice 19 */
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

static void readers_begin(void)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct task_struct *t;

		if (n_readers == MOST_CPUS)
			break;
		t = kthread_create_on_cpu(reader_fn, NULL, cpu, "krcstock_reader/%u");
		if (IS_ERR(t))
			break;
		set_user_nice(t, 19);
		readers[n_readers++] = t;
		wake_up_process(t);
	}
}

/* ---- grace periods that nobody here waits for: a callback that does nothing asks for one */
#define FOR_BACKGROUND (FOR_SLAB + 1)	/* a stream that only this module has */
static struct rcu_head background_head;
static bool background_waits;

static void background_done(struct rcu_head *head)
{
	WRITE_ONCE(background_waits, false);
}

static int background_fn(void *arg)
{
	struct stream gaps;

	stream_init(&gaps, 0, FOR_BACKGROUND);
	while (!kthread_should_stop()) {
		sleep_until(ktime_get_ns() + draw_exp(&gaps, (u64)background_us * NSEC_PER_USEC));
		if (READ_ONCE(background_waits))
			continue;		/* a grace period is asked for already */
		background_waits = true;
		background_asked++;
		call_rcu(&background_head, background_done);
	}
	rcu_barrier();
	return 0;
}

static void others_begin(void)
{
	if (hog && !hog_task)
		hog_begins();
	if (reader_ms)
		readers_begin();
	if (background_us)
		background_task = kthread_run(background_fn, NULL, "krcstock_background");
}

/* What the hog took is given back before anything is freed and the next run begins. */
static void others_end(void)
{
	if (hog_task)
		kthread_stop(hog_task);
	if (background_task)
		kthread_stop(background_task);
	while (n_readers)
		kthread_stop(readers[--n_readers]);
}
