// SPDX-License-Identifier: GPL-2.0-only
/*
 * krcmeter measures how often a headless kfree_rcu() has to wait for a grace period: the data path of April 2020
 * in a running kernel, under a made load and with made failures of allocations. What krcsim says is held against it.
 *
 * An insmod is an experiment: it returns when the load is over and all is freed; then /proc/krcmeter has the
 * result, and rmmod ends it. All of it is one compilation unit, so that the path is inlined as one.
 */
#define pr_fmt(fmt) "krcmeter: " fmt
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("waits of headless kfree_rcu() under made memory pressure");

#define LONGEST_MS (10 * 60 * 1000)	/* of virtual time; an hour of it would be hours for the host */
/* Name, default, least, most, and what it is; ppm are millionths. A percentage has a random stream of its own. */
#define PARAMETERS(P) \
	P(mode, 0, 0, 2, "0 the path of April 2020, 1 lengths of grace periods, 2 kvfree_rcu(ptr) of this kernel") \
	P(pool, 0, 0, 100000, "size of the emergency pool of a CPU, in wrappers") \
	P(pool_prefill, 0, 0, 1, "1: the pool is full at the begin (the patch leaves it empty)") \
	P(cache_max, 1, 0, 10000, "pages that the cache keeps, per CPU and channel") \
	P(cache_prefill, 0, 0, 10000, "pages in it at the begin") \
	P(cache_shared, 0, 0, 1, "1: one cache for both channels") \
	P(refill, 0, 0, 1, "1: after a miss a worker tops the cache up, as later kernels do") \
	P(array_path, 1, 0, 1, "0: pointers never go into blocks") \
	P(head_alloc, 0, 0, 3, "how a wrapper is asked for: 0 tryhard, 1 atomic, 2 not at all, 3 nowait, atomic, kernel") \
	P(expedited_drain, 0, 0, 1, "1: a push on the list drains at once if no monitor is pending") \
	P(rearm_unqueued, 0, 0, 1, "1: the monitor comes again only if nothing was queued; 0: if anything is left") \
	P(attach, 1, 0, 1, "0: a batch takes nothing more until all its channels are empty (v6.x)") \
	P(page_return_worker, 0, 0, 1, "1: a drained page goes to the cache of the CPU the work runs on") \
	P(drain_jiffies, HZ / 50, 1, 1000000, "delay of the monitor") \
	P(sync_exp, 0, 0, 1, "1: waits are synchronize_rcu_expedited()") \
	P(foreign_pct, 0, 0, 100, "percent of works that run on another CPU, as with nocb") \
	P(threads, 0, 0, 4096, "producers; 0: one for each CPU") \
	P(bind, 1, 0, 1, "1: producer i stays on CPU i, in turn") \
	P(period_us, 1000, 1, 2000000000, "(mean) time between two bursts of a producer") \
	P(burst, 1, 1, 1000000, "calls made back to back") \
	P(arrival, 0, 0, 1, "gaps between bursts: 0 fixed, 1 exponential") \
	P(catchup, 0, 0, 1, "a late producer: 1 keeps its schedule, 0 starts it anew") \
	P(waiters, 0, 0, 4096, "threads that wait instead of the producers, which go on at once (open loop)") \
	P(objsize, 64, 8, 4194304, "bytes of an object") \
	P(ch1_pct, 0, 0, 100, "percent of calls for the second channel; the objects are kmalloc()ed all the same") \
	P(vmalloc_pct, 0, 0, 100, "percent of calls with vmalloc()ed objects, in the second channel") \
	P(double_pct, 0, 0, 100, "percent of double-argument calls; their rcu_head lies in the object") \
	P(total, 0, 0, 100000000, "calls of a producer, 0: no limit") \
	P(dur_ms, 3000, 1, LONGEST_MS, "length of the run") \
	P(lead_ms, 0, 0, LONGEST_MS, "time from the begin (also of the hog) to the first call") \
	P(p_page_ppm, 0, 0, 1000000, "failure of a page request under pressure") \
	P(p_obj_ppm, 0, 0, 1000000, "failure of a wrapper request under pressure, all steps of it") \
	P(onset_ms, 0, 0, 2000000, "time before the first episode of pressure") \
	P(on_ms, 0, 0, 2000000, "(mean) length of an episode, 0: to the end") \
	P(off_ms, 0, 0, 2000000, "(mean) time between two episodes") \
	P(epi_exp, 0, 0, 1, "episodes and times between: 0 fixed, 1 exponential") \
	P(seed, 1, 0, 2147483647, "of all random streams") \
	P(hog, 0, 0, 3, "takes pages under pressure: 0 none, 1 GFP_NOWAIT, 2 GFP_ATOMIC|__GFP_HIGH, 3 the reserves too") \
	P(hog_us, 1000, 10, 1000000, "time between two grabs of the hog") \
	P(hog_keep, 0, 0, 1000000, "pages that a hog of the reserves leaves free") \
	P(preobj, 0, 0, 1, "1: objects are allocated before the run (needs total)") \
	P(preobj_shuffle, 1, 0, 1, "1: and shuffled, so that freeing them seldom empties a slab page") \
	P(stock_inject, 0, 0, 1, "mode 2: page requests fail too") \
	P(gp_n, 100, 1, 10000, "mode 1: waits in each case") \
	P(reader_ms, 0, 0, 10000, "length of the sections of a nice RCU reader on each CPU (boot with preempt=full)") \
	P(reader_gap_us, 500, 1, 1000000, "time between them") \
	P(probe_gp, 0, 0, 1, "1: synchronize_rcu() under the load, one each 50 ms") \
	P(gp_trace, 0, 0, 1, "1: lengths of grace periods and the times between, by kprobes")

#define DECLARE(name, value, least, most, text) \
	static int name = value; \
	module_param(name, int, 0444); \
	MODULE_PARM_DESC(name, text);
PARAMETERS(DECLARE)
static char *label = "-", *variant = "-";
module_param(label, charp, 0444);
MODULE_PARM_DESC(label, "free text for the result");
module_param(variant, charp, 0444);
MODULE_PARM_DESC(variant, "free text for the result");

#include "draws.h"
#include "samples.h"

static struct samples sync_waits, batch_waits, call_times, monitor_delays, probe_waits;
static struct samples gp_lengths, gp_idles, gp_cases[6];

#include "path.h"
#include "waits.h"
#include "load.h"
#include "probes.h"
#include "report.h"

static int check_parameters(void)
{
#define CHECK(name, value, least, most, text) \
	if (name < (least) || name > (most)) { \
		pr_err(#name "=%d; allowed: %d to %d\n", name, least, most); \
		return -EINVAL; \
	}
	PARAMETERS(CHECK)
	if (double_pct && objsize < (int)sizeof(struct wrapper)) {
		pr_err("objsize=%d has no room for an rcu_head; double_pct needs %zu\n", objsize, sizeof(struct wrapper));
		return -EINVAL;
	}
	if (preobj && (!total || vmalloc_pct)) {
		pr_err("preobj=1 needs total and no vmalloc_pct\n");
		return -EINVAL;
	}
	return 0;
}

static int memory_init(void)
{
	percpus = alloc_percpu(struct percpu);
	threads = threads ?: num_online_cpus();
	n_callers = threads;
	callers = vzalloc(n_callers * sizeof(*callers));
	switches = vzalloc(MAX_SWITCHES * sizeof(u64));
	if (!percpus || !callers || !switches)
		return -ENOMEM;
	return samples_init(&sync_waits) ?: samples_init(&batch_waits) ?: samples_init(&call_times) ?:
	       samples_init(&monitor_delays) ?: samples_init(&probe_waits);
}

static void memory_end(void)
{
	struct samples *all[] = { &sync_waits, &batch_waits, &call_times, &monitor_delays, &probe_waits,
				  &gp_lengths, &gp_idles };
	int i;

	for (i = 0; callers && i < n_callers; i++)
		vfree(callers[i].objects);
	vfree(callers);
	vfree(switches);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		vfree(all[i]->v);
	for (i = 0; i < ARRAY_SIZE(gp_cases); i++)
		vfree(gp_cases[i].v);
	free_percpu(percpus);
}

static int begin(void)
{
	int r;

	plan_episodes();
	r = mode == 2 ? stock_begin() : 0;
	r = r ?: gp_trace_begin();
	if (r) {
		stock_end();
		gp_trace_end();
		pr_err("a probe cannot be set (error %d)\n", -r);
		return r;
	}
	percpus_init();
	if (hog)
		hog_task = kthread_create(hog_fn, NULL, "krcmeter_hog");
	/* Threads that began cannot be left behind by a module that goes. The guest is thrown away anyway. */
	if (waiters_init() || producers_init() || IS_ERR(hog_task))
		panic("krcmeter: no memory for the threads of the run\n");
	if (probe_gp)
		probe_task = kthread_run(probe_fn, NULL, "krcmeter_probe");
	if (reader_ms)
		n_readers = on_each_cpu_run(reader_fn, "krcmeter_reader/%u", 19, reader_tasks);
	return 0;
}

static void run(void)
{
	msleep(100);
	synchronize_rcu();		/* the clock starts just after a tick */
	free_before = global_zone_page_state(NR_FREE_PAGES);
	t_start = ktime_get_ns();
	t_end = t_start + (u64)dur_ms * NSEC_PER_MSEC;
	gp_watching = true;
	if (hog_task)
		wake_up_process(hog_task);
	complete_all(&go);
	wait_for_completion_timeout(&all_done, msecs_to_jiffies(dur_ms / 2));
	free_mid = global_zone_page_state(NR_FREE_PAGES);
	if (!wait_for_completion_timeout(&all_done, msecs_to_jiffies(dur_ms + 20000))) {
		WRITE_ONCE(stop_all, true);
		wait_for_completion(&all_done);
	}
	gp_watching = false;
	run_ns = OF_CALLERS(max, t_last) - t_start;
}

static void end(void)
{
	int i;

	if (hog_task)
		kthread_stop(hog_task);
	if (!IS_ERR_OR_NULL(probe_task))
		kthread_stop(probe_task);
	while (n_readers)
		kthread_stop(reader_tasks[--n_readers]);
	for (i = 0; i < n_callers; i++)
		kthread_stop(callers[i].task);
	if (waiters && n_callers)
		callers[0].n_of.sync_ns += waiters_finish();
	for (i = 0; i < 1000 && atomic_long_read(&all_pending); i++)
		msleep(20);
	if (atomic_long_read(&all_pending))	/* not WARN(), which would write the folder of the build into the module */
		panic("krcmeter: %ld objects are still deferred\n", atomic_long_read(&all_pending));
	stock_end();
	gp_trace_end();
	percpus_end();
}

static int __init krcmeter_init(void)
{
	int r = check_parameters() ?: memory_init();

	if (!r && mode == 1)
		r = gp_cases_run();
	else if (!r)
		r = begin();
	if (!r && mode != 1) {
		run();
		end();
	}
	if (!r && !proc_create_single("krcmeter", 0444, NULL, show))
		r = -ENOMEM;
	if (r)
		memory_end();
	return r;
}

static void __exit krcmeter_exit(void)
{
	remove_proc_entry("krcmeter", NULL);
	memory_end();
}

module_init(krcmeter_init);
module_exit(krcmeter_exit);
