// SPDX-License-Identifier: GPL-2.0-only
/*
 * krcstock measures the running kernel's own kvfree_rcu_mightsleep() and kfree_rcu(), from v6.1 to v7.3: how often
 * a call waits, and what the kernel does with the objects. Threads make the calls; probes count, and make requests
 * of the path fail where they are made.
 *
 * An insmod is an experiment: it returns when the load is over and all is freed; then /proc/krcstock has the
 * result, and rmmod ends it. draws.h and samples.h are those of krcmeter.
 */
#define pr_fmt(fmt) "krcstock: " fmt
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>
#include <asm/ibt.h>
#include <asm/linkage.h>

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("what the kernel's own kvfree_rcu() does under made memory pressure");

#define LONGEST_MS (10 * 60 * 1000)	/* of virtual time; an hour of it would be hours for the host */
/* Name, default, least, most, and what it is; ppm are millionths. A percentage has a random stream of its own. */
#define PARAMETERS(P) \
	P(double_pct, 0, 0, 100, "percent of calls that are kfree_rcu(p, rh); the others are kvfree_rcu_mightsleep(p)") \
	P(vmalloc_pct, 0, 0, 100, "percent of calls with vmalloc()ed objects") \
	P(objsize, 64, 8, 4194304, "bytes of an object; the module makes it at least 24 to know it again") \
	P(own_cache, 0, 0, 1, "1: objects of a cache of this module, which is destroyed at the end") \
	P(producers, 1, 1, 64, "callers on each CPU") \
	P(waiters, 0, 0, 4096, "threads that wait instead of a producer, which goes on at once; 0: a closed loop") \
	P(period_us, 1000, 1, 2000000000, "(mean) time between two bursts of a producer, in on phases") \
	P(burst, 1, 1, 1000000, "calls made back to back") \
	P(arrival, 0, 0, 1, "gaps between bursts: 0 fixed, 1 exponential") \
	P(phase_us, 0, 0, 1000000, "the first burst comes this long after the begin") \
	P(at_once, 0, 0, 1, "1: with exponential gaps, too, the first burst comes at the begin") \
	P(phase_on_us, 0, 0, 2000000000, "mean length of on phases, 0: always on") \
	P(phase_off_us, 0, 0, 2000000000, "mean length of off phases, without calls") \
	P(catchup, 0, 0, 1, "a late producer: 1 keeps its schedule, 0 starts it anew") \
	P(total, 0, 0, 100000000, "calls of a producer, 0: no limit") \
	P(preobj, 0, 0, 1, "1: objects are allocated before the run, so that none is taken while they are freed (needs total)") \
	P(dur_ms, 3000, 1, LONGEST_MS, "length of the run") \
	P(cached, 0, 0, 1, "the page caches at the begin: 0 empty, 1 as full as a refill makes them") \
	P(p_page_ppm, 0, 0, 1000000, "failure of a page request of the path under pressure") \
	P(p_sheaf_ppm, 0, 0, 1000000, "under pressure, share of calls whose object the sheaf refuses") \
	P(p_slab_ppm, 0, 0, 1000000, "failure of the slab object of a new sheaf under pressure") \
	P(calm_page_ppm, 0, 0, 1000000, "the same without pressure") \
	P(calm_sheaf_ppm, 0, 0, 1000000, "the same without pressure") \
	P(calm_slab_ppm, 0, 0, 1000000, "the same without pressure") \
	P(shown, 0, 0, 1, "1: tracepoints show requests that fail, and a request under pressure stalls") \
	P(p_nowait_ppm, 0, 0, 1000000, "with shown=1, under pressure: a request of a call stalls, one without reclaim fails") \
	P(calm_nowait_ppm, 0, 0, 1000000, "the same without pressure") \
	P(stall_us, 500, 0, 1000000, "the median stall") \
	P(stall_sigma_pct, 100, 0, 300, "sigma of the logarithm of stalls, in percent") \
	P(neighbour_us, 0, 0, 2000000000, "with shown=1, mean time between page requests of the neighbour, 0: none") \
	P(refill_fails, 1, 0, 1, "1: pages fail the kernel's refill worker as they fail a caller") \
	P(onset_ms, 0, 0, 2000000, "time before the first episode of pressure") \
	P(on_ms, 0, 0, 2000000, "(mean) length of an episode, 0: to the end") \
	P(off_ms, 0, 0, 2000000, "(mean) time between two episodes") \
	P(epi_exp, 0, 0, 1, "episodes and times between: 0 fixed, 1 exponential") \
	P(hog, 0, 0, 3, "takes pages under pressure: 0 none, 1 GFP_NOWAIT, 2 GFP_ATOMIC, 3 the reserves too") \
	P(hog_us, 1000, 10, 1000000, "time between two grabs of the hog") \
	P(lead_ms, 0, 0, LONGEST_MS, "head start of a hog before the first call (needs onset_ms=0)") \
	P(reader_ms, 0, 0, 10000, "a reader on each CPU in sections of this length, 0: none (boot with preempt=full)") \
	P(reader_gap_us, 500, 1, 1000000, "time between two sections of a reader") \
	P(background_us, 0, 0, 2000000000, "mean time between grace periods that nobody here waits for, 0: none") \
	P(settle_ms, 6000, 0, LONGEST_MS, "silence after the run, until all is freed or this is over") \
	P(barrier, 1, 0, 1, "1: then kvfree_rcu_barrier(), where there is one; 0: wait up to 12 s") \
	P(seed, 1, 0, 2147483647, "of all random streams")

#define DECLARE(name, value, least, most, text) \
	static int name = value; \
	module_param(name, int, 0444); \
	MODULE_PARM_DESC(name, text);
PARAMETERS(DECLARE)
static char *label = "-";
module_param(label, charp, 0444);
MODULE_PARM_DESC(label, "free text for the result");

#include "draws.h"
#include "samples.h"

static struct samples wait_times, call_times, grace_periods, stalls;

#include "callers.h"
#include "probes.h"
#include "shown.h"
#include "load.h"
#include "others.h"
#include "report.h"

static int check_parameters(void)
{
#define CHECK(name, value, least, most, text) \
	if (name < (least) || name > (most)) { \
		pr_err(#name "=%d; allowed: %d to %d\n", name, least, most); \
		return -EINVAL; \
	}
	PARAMETERS(CHECK)
	if (phase_on_us && !arrival) {
		pr_err("phase_on_us=%d needs arrival=1\n", phase_on_us);
		return -EINVAL;
	}
	if (preobj && (!total || vmalloc_pct)) {
		pr_err("preobj=1 needs total and no vmalloc_pct\n");
		return -EINVAL;
	}
	if (lead_ms && (!hog || onset_ms)) {
		pr_err("lead_ms=%d needs a hog, and onset_ms=0\n", lead_ms);
		return -EINVAL;
	}
	if (neighbour_us && !shown) {
		pr_err("neighbour_us=%d needs shown=1\n", neighbour_us);
		return -EINVAL;
	}
	if (waiters && producers != 1) {
		pr_err("producers=%d; allowed with waiters: 1\n", producers);
		return -EINVAL;
	}
	return 0;
}

static void wait_until_freed(u64 longest_ms)
{
	u64 end = ktime_get_ns() + longest_ms * NSEC_PER_MSEC;

	while (ktime_get_ns() < end && held() > 0)
		msleep(8);
}

static void run(void)
{
	wait_for_completion(&all_prepared);
	quiet_monitors();
	if (!cached)
		empty_caches();
	free_before = global_zone_page_state(NR_FREE_PAGES);
	if (lead_ms) {
		wait_for_granule(msecs_to_jiffies(lead_ms));
		hog_begins();
	}
	wait_for_granule(0);
	memset(&seen, 0, sizeof(seen));
	t_start = ktime_get_ns();
	t_end = t_start + (u64)dur_ms * NSEC_PER_MSEC;
	counting = true;
	WRITE_ONCE(no_refill, false);
	others_begin();
	shown_begin();
	complete_all(&go);
	wait_for_completion(&all_done);
	run_ns = ktime_get_ns() - t_start;
	in_run = seen;
	others_end();
	shown_end();

	wait_until_freed(settle_ms);
	settle_ns = ktime_get_ns() - t_start - run_ns;
	held_after_settle = held();
	if (barrier && barrier_of_kernel) {
		u64 t = ktime_get_ns();

		barrier_of_kernel();
		barrier_ns = ktime_get_ns() - t;
	} else {
		wait_until_freed(12000);
	}
	held_after_barrier = held();
	counting = false;
	free_unused();
	if (own) {
		u64 t = ktime_get_ns();

		kmem_cache_destroy(own);	/* waits for what is deferred of it */
		destroy_ns = ktime_get_ns() - t;
	}
}

static int __init krcstock_init(void)
{
	int r = check_parameters() ?: callers_init();

	r = r ?: samples_init(&wait_times) ?: samples_init(&call_times) ?: samples_init(&grace_periods) ?: shown_init();
	if (!r && own_cache) {
		own = kmem_cache_create("krcstock", object_bytes(), 0, 0, no_merge);
		r = own ? 0 : -ENOMEM;
	}
	if (!r) {
		plan_episodes();
		probes_begin();
		threads_begin();
		run();
		threads_end();
		probes_end();
		if (!proc_create_single("krcstock", 0444, NULL, show))
			r = -ENOMEM;
	}
	if (r)
		callers_end();
	return r;
}

static void __exit krcstock_exit(void)
{
	remove_proc_entry("krcstock", NULL);
	callers_end();
}

module_init(krcstock_init);
module_exit(krcstock_exit);
