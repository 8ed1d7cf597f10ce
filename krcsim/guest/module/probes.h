/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel itself does: its own kvfree_rcu(ptr) (mode 2), and its grace periods (gp_trace). */

/* ---- kvfree_rcu(ptr) of 6.1; page requests can be made to fail behind its back */
static void (*stock_call)(struct rcu_head *head, rcu_callback_t func);
static struct task_struct *filling[MOST_CPUS];	/* who runs the kernel's refill worker */
static struct caller filler;			/* its stream; not exact where several CPUs refill at once */
static u64 fill_runs, fill_pages, fill_fail;
static DEFINE_SPINLOCK(fill_lock);

static struct caller *caller_now(void)
{
	int i;

	for (i = 0; i < n_callers; i++)
		if (callers[i].task == current && callers[i].in_call)
			return &callers[i];
	return NULL;
}

static int stock_waits(struct kprobe *kp, struct pt_regs *regs)
{
	struct caller *c = caller_now();

	if (c)
		c->stock_sync++;
	return 0;
}

/* Take the page back that a probed function is about to return; true if it returns none. */
static bool fails(struct caller *c, struct pt_regs *regs)
{
	unsigned long page = regs_return_value(regs);

	if (stock_inject && page && pressure_on(&c->at, ktime_get_ns()) && draw_hit(&c->for_page, p_page_ppm)) {
		free_page(page);
		regs_set_return_value(regs, 0);
		page = 0;
	}
	return !page;
}

static int stock_page(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct caller *c = caller_now();
	unsigned long flags;
	int i;

	if (c) {
		c->stock_page_call++;
		c->stock_page_fail += fails(c, regs);
		return 0;
	}
	for (i = 0; i < MOST_CPUS; i++)
		if (filling[i] == current) {
			spin_lock_irqsave(&fill_lock, flags);
			fill_pages++;
			fill_fail += fails(&filler, regs);
			spin_unlock_irqrestore(&fill_lock, flags);
			break;
		}
	return 0;
}

static int stock_fill_begins(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	filling[raw_smp_processor_id() % MOST_CPUS] = current;
	fill_runs++;
	return 0;
}

static int stock_fill_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	int i;

	for (i = 0; i < MOST_CPUS; i++)
		if (filling[i] == current)
			filling[i] = NULL;
	return 0;
}

static struct kprobe probe_find = { .symbol_name = "kvfree_call_rcu" };
/* synchronize_rcu() is inlined into kvfree_call_rcu() in Debian's build, this function is not */
static struct kprobe probe_wait = { .symbol_name = "__wait_rcu_gp", .pre_handler = stock_waits };
static struct kretprobe probe_page = { .kp.symbol_name = "__get_free_pages", .handler = stock_page,
				       .maxactive = MOST_CPUS };
static struct kretprobe probe_fill = { .kp.symbol_name = "fill_page_cache_func", .maxactive = MOST_CPUS,
				       .entry_handler = stock_fill_begins, .handler = stock_fill_ends };
static int probes;		/* which are in place: 1 wait, 2 page, 4 fill */

static int stock_begin(void)
{
	int r = register_kprobe(&probe_find);

	if (r)
		return r;
	stock_call = (void *)probe_find.addr;
	unregister_kprobe(&probe_find);
	stream_init(&filler.for_page, 999, FOR_PAGE);
	r = register_kprobe(&probe_wait);
	if (r)
		return r;
	probes = 1;
	probes += register_kretprobe(&probe_page) ? 0 : 2;
	probes += register_kretprobe(&probe_fill) ? 0 : 4;
	return 0;
}

static void stock_end(void)
{
	if (probes & 1)
		unregister_kprobe(&probe_wait);
	if (probes & 2)
		unregister_kretprobe(&probe_page);
	if (probes & 4)
		unregister_kretprobe(&probe_fill);
}

static bool stock_free(struct caller *c, void *ptr)
{
	u64 before = c->stock_sync, t = ktime_get_ns();

	c->in_call = true;
	stock_call(NULL, (rcu_callback_t)ptr);	/* what kvfree_rcu(ptr) expands to */
	c->in_call = false;
	if (c->stock_sync == before) {
		c->n_of.bulk++;
		return false;
	}
	t = ktime_get_ns() - t;
	sample(&sync_waits, t);
	c->n_of.sync_ns += t;
	c->n_of.sync++;
	return true;
}

/* ---- begins and ends of normal grace periods, seen where the kernel's own thread handles them */
static u64 gp_count, gp_began, gp_ended;
static bool gp_watching;

static int gp_begins(struct kprobe *kp, struct pt_regs *regs)
{
	gp_began = ktime_get_ns();
	if (gp_watching && gp_ended)
		sample(&gp_idles, gp_began - gp_ended);
	return 0;
}

static int gp_ends(struct kprobe *kp, struct pt_regs *regs)
{
	gp_ended = ktime_get_ns();
	if (gp_watching && gp_began) {
		sample(&gp_lengths, gp_ended - gp_began);
		gp_count++;
	}
	return 0;
}

static struct kprobe probe_gp_begin = { .symbol_name = "rcu_gp_init", .pre_handler = gp_begins };
static struct kprobe probe_gp_end = { .symbol_name = "rcu_gp_cleanup", .pre_handler = gp_ends };
static int gp_probes;

static int gp_trace_begin(void)
{
	int r;

	if (!gp_trace)
		return 0;
	r = samples_init(&gp_lengths) ?: samples_init(&gp_idles) ?: register_kprobe(&probe_gp_begin);
	gp_probes += !r;
	r = r ?: register_kprobe(&probe_gp_end);
	gp_probes += !r;
	return r;
}

static void gp_trace_end(void)
{
	if (gp_probes > 0)
		unregister_kprobe(&probe_gp_begin);
	if (gp_probes > 1)
		unregister_kprobe(&probe_gp_end);
	gp_probes = 0;
}
