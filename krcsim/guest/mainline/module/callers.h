/* SPDX-License-Identifier: GPL-2.0-only */
/* Who calls, with which objects, and what is counted of it. */

/* An object: the head is for kfree_rcu(), the mark tells our objects from those of others when they are freed. */
struct object {
	struct rcu_head head;
	unsigned long mark;
};
#define MARK 0x6b7263737453UL

static struct kmem_cache *own;

static size_t object_bytes(void)
{
	return max_t(size_t, objsize, sizeof(struct object));
}

static void no_merge(void *object)	/* a cache with a constructor is not merged with another */
{
}

/* The calls of a producer in the order of time. The thread that makes the next one is its leader. */
struct source {
	int cpu, left;			/* calls left in this burst */
	u64 due, on_until, made;
	bool over;
	void **objects;			/* made before, `ready` of them */
	int ready;
	struct place at;
	struct stream for_arrival, for_page, for_sheaf, for_slab, for_double, for_vmalloc;
	struct completion turn;		/* there is no leader: whoever is idle becomes it */
	struct irq_work hand_on;
	atomic_t idle;
};

struct caller {
	struct task_struct *task;
	struct source *source;
	bool in_call, leads, waited, offered, refused, must_miss;
#define CALLER_COUNTS(C) \
	C(calls) C(double_calls) C(vmalloc_calls) C(waits) C(wait_ns) C(late_bursts) C(waiter_full) \
	C(page_try) C(page_fail) C(sheaf_offered) C(sheaf_refused) C(slab_fail)
#define FIELD(name) u64 name;
	struct { CALLER_COUNTS(FIELD) } n;
};

static struct source *sources;
static struct caller *callers, **by_pid;
static int n_sources, n_callers;

#define MOST_PIDS 32768			/* what a guest of a few CPUs has */

static atomic64_t queued, freed;	/* our objects */
static s64 held_most;
static bool counting;

static s64 held(void)
{
	return atomic64_read(&queued) - atomic64_read(&freed);
}

/* The caller in whose call we are, if it is not an interrupt of it. */
static struct caller *caller_now(void)
{
	struct caller *c = current->pid < MOST_PIDS ? by_pid[current->pid] : NULL;

	/* A breakpoint itself counts as one level of hard interrupt. */
	if (!c || !c->in_call || (softirq_count() & SOFTIRQ_OFFSET) || hardirq_count() > HARDIRQ_OFFSET)
		return NULL;
	return c;
}

static void mark(void *ptr)
{
	((struct object *)ptr)->mark = MARK ^ (unsigned long)ptr;
}

/* Whether an object that is being freed is ours; it is then no more. */
static bool unmark(void *ptr)
{
	unsigned long *at = &((struct object *)ptr)->mark, found;

	if (get_kernel_nofault(found, at) || found != (MARK ^ (unsigned long)ptr))
		return false;
	*at = 0;
	atomic64_inc(&freed);
	return true;
}

static int callers_init(void)
{
	n_sources = num_online_cpus() * producers;
	n_callers = waiters ? n_sources * (waiters + 1) : n_sources;
	sources = vzalloc(n_sources * sizeof(*sources));
	callers = vzalloc(n_callers * sizeof(*callers));
	by_pid = vzalloc(MOST_PIDS * sizeof(*by_pid));
	switches = vzalloc(MAX_SWITCHES * sizeof(u64));
	return sources && callers && by_pid && switches ? 0 : -ENOMEM;
}

/* Objects that were made before and not used; a cache cannot be destroyed with them. */
static void free_unused(void)
{
	int i;

	for (i = 0; sources && i < n_sources; i++)
		while (sources[i].ready)
			kfree(sources[i].objects[--sources[i].ready]);
}

static void callers_end(void)
{
	int i;

	free_unused();
	for (i = 0; sources && i < n_sources; i++)
		vfree(sources[i].objects);
	vfree(sources);
	vfree(callers);
	vfree(by_pid);
	vfree(switches);
	vfree(wait_times.v);
	vfree(call_times.v);
	vfree(grace_periods.v);
	vfree(stalls.v);
}
