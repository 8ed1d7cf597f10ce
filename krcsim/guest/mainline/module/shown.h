/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * With shown=1 a request that is made to fail looks to the tracepoints as one that the allocator refused, and all
 * requests for one page fail alike by their class: those of the path, those of a neighbour who asks for pages without
 * reclaim, and those of the rest of the kernel, which can go on without. A call stalls before, as in a round of
 * direct reclaim. So a recorder beside the run sees a machine whose failures, episodes and stalls are known.
 */
#include <linux/gfp.h>
#include <trace/events/vmscan.h>

#define FOR_STALL (FOR_SLAB + 2)
#define FOR_NEIGHBOUR (FOR_SLAB + 3)
#define FOR_OTHERS (FOR_SLAB + 4)

static struct {				/* what the tracepoints call, 0 where the kernel lacks it */
	int (*page)(void *data, struct page *page, unsigned int order, gfp_t gfp, int migratetype);
	typeof(&__traceiter_mm_vmscan_direct_reclaim_begin) begin;
	typeof(&__traceiter_mm_vmscan_direct_reclaim_end) end;
} shows;

static struct stream for_stall, for_others;
static struct place others_at;
static struct task_struct *neighbour_task;
static u64 others_try, others_fail;

static int shown_init(void)
{
	if (!shown)
		return 0;
	shows.page = (void *)address_of("__traceiter_mm_page_alloc");
	shows.begin = (void *)address_of("__traceiter_mm_vmscan_direct_reclaim_begin");
	shows.end = (void *)address_of("__traceiter_mm_vmscan_direct_reclaim_end");
	if (!shows.page || !shows.begin || !shows.end) {
		pr_err("shown=1; this kernel lacks the tracepoints that show a request\n");
		return -EINVAL;
	}
	stream_init(&for_stall, 0, FOR_STALL);
	stream_init(&for_others, 0, FOR_OTHERS);
	return samples_init(&stalls);
}

static void show_failure(gfp_t gfp, unsigned int order)
{
	preempt_disable_notrace();
	shows.page(NULL, NULL, order, gfp, 0);
	preempt_enable_notrace();
}

/* From v7.2 on at the latest both events name the memory cgroup, too: NULL is all of the machine. */
#define HAS_CGROUP \
	(!__builtin_types_compatible_p(typeof(__traceiter_mm_vmscan_direct_reclaim_begin), int(void *, int, gfp_t)))

static void show_reclaim(bool begins, gfp_t gfp, unsigned int order)
{
	preempt_disable_notrace();
	if (HAS_CGROUP) {
		int (*begin)(void *, gfp_t, int, struct mem_cgroup *) = (void *)shows.begin;
		int (*end)(void *, unsigned long, struct mem_cgroup *) = (void *)shows.end;

		begins ? begin(NULL, gfp, order, NULL) : end(NULL, 0, NULL);
	} else {
		int (*begin)(void *, int, gfp_t) = (void *)shows.begin;
		int (*end)(void *, unsigned long) = (void *)shows.end;

		begins ? begin(NULL, order, gfp) : end(NULL, 0);
	}
	preempt_enable_notrace();
}

/* A log-normal length: 2^x, and x normal as the sum of twelve numbers; 16 binary digits, of the fraction 8. */
static u64 draw_stall(void)
{
	static const u32 roots[] = { 92682, 77936, 71468, 68438, 66971, 66250, 65892, 65714 };	/* 2^(1/2), 2^(1/4) .. */
	s64 normal = -6 * 65536, x;
	u64 found = (u64)stall_us * NSEC_PER_USEC;
	int i;

	for (i = 0; i < 12; i++)
		normal += draw(&for_stall) >> 48;
	x = div_s64(normal * stall_sigma_pct * 94548, 100 * 65536);	/* 94548 / 65536 is 1 / ln 2 */
	for (i = 0; i < ARRAY_SIZE(roots); i++)
		if (x & (32768 >> i))
			found = found * roots[i] >> 16;
	x >>= 16;
	return x < 0 ? found >> min_t(s64, -x, 40) : found << min_t(s64, x, 10);
}

static void sleep_until(u64 t)
{
	ktime_t at = ns_to_ktime(t);

	set_current_state(TASK_IDLE);
	schedule_hrtimeout_range(&at, 0, HRTIMER_MODE_ABS);
}

/* Other calls go on meanwhile, but when it is over it does not wait for them (boot with preempt=full). */
static void stall(gfp_t gfp, unsigned int order)
{
	u64 began = clock_ns();

	sched_set_fifo(current);
	show_reclaim(true, gfp, order);
	sleep_until(ktime_get_ns() + draw_stall());
	show_reclaim(false, gfp, order);
	sched_set_normal(current, 0);
	sample(&stalls, clock_ns() - began);
}

/* A number in millionths, and 24 more binary digits, that decides for all classes of a request. */
static bool below(u64 u, int ppm)
{
	return u < (u64)ppm << 24;
}

/* A request of this module: were it a jump, the probe would take it for one of the path again. */
static noinline unsigned long page_really(gfp_t gfp, unsigned int order)
{
	unsigned long page = __get_free_pages(gfp, order);

	barrier();
	return page;
}

/* What a call goes on in instead of get_free_pages(). */
static noinline unsigned long request_of_call(gfp_t gfp, unsigned int order)
{
	struct caller *c = current->pid < MOST_PIDS ? by_pid[current->pid] : NULL;
	struct source *s = c->source;
	bool on = pressure_on(&s->at, clock_ns());
	u64 u = mul_u64_u64_shr(draw(&s->for_page), 1000000ULL << 24, 64);

	c->n.page_try++;
	if (below(u, on ? p_nowait_ppm : calm_nowait_ppm)) {
		if (waiters && c->leads) {	/* another thread makes the next call */
			c->leads = false;
			complete(&s->turn);
		}
		stall(gfp, order);
	}
	if (below(u, on ? p_page_ppm : calm_page_ppm)) {
		c->n.page_fail++;
		show_failure(gfp, order);
		return 0;
	}
	return page_really(gfp, order);
}

static noinline unsigned long request_of_refill(gfp_t gfp, unsigned int order)
{
	struct refiller *r = raw_cpu_ptr(&refillers);

	seen.refill_try++;
	if (draw_hit(&r->for_page, pressure_on(&r->at, clock_ns()) ? p_page_ppm : calm_page_ppm)) {
		seen.refill_fail++;
		show_failure(gfp, order);
		return 0;
	}
	return page_really(gfp, order);
}

/* ---- requests of others */
static noinline struct page *refused_page(gfp_t gfp, unsigned int order)
{
	show_failure(gfp, order);
	return NULL;
}

/* One page, of the classes that a recorder looks at, and not of the path: that has drawn already. */
static bool is_of_others(gfp_t gfp, unsigned int order)
{
	bool reclaims = gfp & __GFP_DIRECT_RECLAIM;

	if (order || gfp & __GFP_NOFAIL || (reclaims && !(gfp & __GFP_NORETRY)) || (!reclaims && gfp & __GFP_HIGH))
		return false;
	return gfp != (GFP_KERNEL | __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN);
}

PROBE(at_allocator)			/* __alloc_pages(gfp, order, ..) */
{
	gfp_t gfp = (__force gfp_t)regs->di;
	bool on;

	if (!shown || !counting || !is_of_others(gfp, regs->si))
		return 0;
	on = pressure_on(&others_at, clock_ns());
	others_try++;
	if (gfp & __GFP_DIRECT_RECLAIM ? !draw_hit(&for_others, on ? p_page_ppm : calm_page_ppm)
				       : !draw_hit(&for_others, on ? p_nowait_ppm : calm_nowait_ppm))
		return 0;
	others_fail++;
	return go_on_at(regs, refused_page);
}

/* Asks for pages without reclaim, as the rest of a machine does. */
static int neighbour_fn(void *arg)
{
	struct stream gaps;

	stream_init(&gaps, 0, FOR_NEIGHBOUR);
	while (!kthread_should_stop()) {
		sleep_until(ktime_get_ns() + draw_exp(&gaps, (u64)neighbour_us * NSEC_PER_USEC));
		free_page(__get_free_pages(GFP_NOWAIT | __GFP_NOWARN, 0));
	}
	return 0;
}

static void shown_begin(void)
{
	if (neighbour_us)
		neighbour_task = kthread_run(neighbour_fn, NULL, "krcstock_next");
}

static void shown_end(void)
{
	if (neighbour_task)
		kthread_stop(neighbour_task);
}
