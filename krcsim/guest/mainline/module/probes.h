/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel does with the objects, seen where its functions begin, and requests of it that are made to fail. */

#define KEPT_TIMES 24			/* of the first events of a kind */

struct span {				/* durations in ns */
	u64 count, sum, least, most;
};

static struct seen {
	u64 monitors, batches, works, refills, refill_try, refill_fail, backoffs, scans, other_pages;
	u64 blocks_by_monitor, blocks_by_work, in_sheaf, in_bulk, in_vmalloc, in_list;
	u64 sheaf_requests, sheaves, sheaf_largest, gp_count;
	u64 gfp_call, gfp_refill, gp_began, first_stored, last_monitor;
	struct span until_monitor, until_work;
	u32 monitor_us[KEPT_TIMES], work_us[KEPT_TIMES], sheaf_us[KEPT_TIMES], refill_us[KEPT_TIMES];
} seen, in_run;				/* now, and when the last call had been made */

static void span_add(struct span *s, u64 ns)
{
	s->least = s->count ? min(s->least, ns) : ns;
	s->most = max(s->most, ns);
	s->sum += ns;
	s->count++;
}

static u64 clock_ns(void)
{
	return ktime_get_mono_fast_ns();	/* may be asked for in any context */
}

static void keep_time(u32 *times, u64 before)
{
	if (before < KEPT_TIMES)
		times[before] = div_u64(clock_ns() - t_start, NSEC_PER_USEC);
}

/* ---- who called a probed function: in which function of the kernel its return address lies */
enum part {
	OTHER, CALL, REFILL, MONITOR, WORK, BULK, LIST, SHEAF_CALLBACK, SHEAF,
};

static struct {
	const char *name;
	enum part part;
	unsigned long begin, end;
} parts[] = {
	{ "kvfree_call_rcu", CALL }, { "add_ptr_to_bulk_krc_lock", CALL },
	{ "fill_page_cache_func", REFILL },
	{ "kfree_rcu_monitor", MONITOR }, { "kvfree_rcu_drain_ready", MONITOR },
	{ "kfree_rcu_work", WORK },
	{ "kvfree_rcu_bulk", BULK },
	{ "kvfree_rcu_list", LIST },
	{ "rcu_free_sheaf", SHEAF_CALLBACK },
	{ "__kfree_rcu_sheaf", SHEAF }, { "alloc_empty_sheaf", SHEAF }, { "__alloc_empty_sheaf", SHEAF },
};

/* The address of a symbol of the kernel, which kallsyms gives to no module but a probe finds; 0 if it is not there. */
static unsigned long address_of(const char *name)
{
	struct kprobe finder = { .symbol_name = name };
	unsigned long found;

	if (register_kprobe(&finder))
		return 0;
	found = (unsigned long)finder.addr - finder.offset;
	unregister_kprobe(&finder);
	return found;
}

static void parts_find(void)
{
	static char text[KSYM_SYMBOL_LEN];
	unsigned long size;
	char *slash;
	int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		parts[i].begin = address_of(parts[i].name);
		if (!parts[i].begin)
			continue;
		sprint_symbol(text, parts[i].begin);	/* name+0x0/0xSIZE */
		slash = strrchr(text, '/');
		parts[i].end = parts[i].begin;
		if (slash) {
			strreplace(slash, ' ', '\0');
			if (!kstrtoul(slash + 1, 16, &size))
				parts[i].end += size;
		}
	}
}

static enum part called_from(struct pt_regs *regs)
{
	unsigned long at = *(unsigned long *)regs->sp - 1;	/* in the instruction that called */
	int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (at >= parts[i].begin && at < parts[i].end)
			return parts[i].part;
	return OTHER;
}

/* ---- failures: the function is left where it begins, and gives 0 */

/*
 * The stack pointer must stay: a probe at an ftrace site gives back all registers but that one. So the probed
 * function goes on at a lone return instruction.
 */
void krcstock_return(void);
asm(".pushsection .text\n"
    ".type krcstock_return, @function\n"
    ".globl krcstock_return\n"
    "krcstock_return:\n"
    ASM_ENDBR ASM_RET
    ".size krcstock_return, .-krcstock_return\n"
    ".popsection\n");

static int go_on_at(struct pt_regs *regs, void *function)
{
	regs->ip = (unsigned long)function;
	return 1;
}

static int leave_with_0(struct pt_regs *regs)
{
	regs->ax = 0;
	return go_on_at(regs, krcstock_return);
}

static bool fails(struct source *s, struct stream *stream, int ppm, int calm_ppm)
{
	return draw_hit(stream, pressure_on(&s->at, clock_ns()) ? ppm : calm_ppm);
}

/* A refill of a CPU reads the pressure on its own, and has a stream of its own. */
struct refiller {
	struct stream for_page;
	struct place at;
};
static DEFINE_PER_CPU(struct refiller, refillers);
static bool no_refill;			/* while the caches are emptied */

static unsigned long request_of_call(gfp_t gfp, unsigned int order);	/* shown.h */
static unsigned long request_of_refill(gfp_t gfp, unsigned int order);
static int at_allocator(struct kprobe *probe, struct pt_regs *regs);

/* ---- probes; each sees the arguments of its function */
#define PROBE(name) static int name(struct kprobe *probe, struct pt_regs *regs)

PROBE(at_page)				/* get_free_pages(gfp, order) */
{
	enum part from = called_from(regs);
	struct caller *c;

	if (from == REFILL) {
		struct refiller *r = this_cpu_ptr(&refillers);
		bool on;

		if (READ_ONCE(no_refill))
			return leave_with_0(regs);
		if (!counting)
			return 0;
		seen.gfp_refill = regs->di;
		if (shown)
			return go_on_at(regs, request_of_refill);
		on = pressure_on(&r->at, clock_ns());
		seen.refill_try++;
		if (refill_fails && draw_hit(&r->for_page, on ? p_page_ppm : calm_page_ppm)) {
			seen.refill_fail++;
			return leave_with_0(regs);
		}
		return 0;
	}
	c = from == CALL ? caller_now() : NULL;
	if (!c) {
		seen.other_pages++;
		return 0;
	}
	if (c->must_miss)
		return leave_with_0(regs);
	seen.gfp_call = regs->di;
	if (shown)
		return go_on_at(regs, request_of_call);
	c->n.page_try++;
	if (fails(c->source, &c->source->for_page, p_page_ppm, calm_page_ppm)) {
		c->n.page_fail++;
		return leave_with_0(regs);
	}
	return 0;
}

PROBE(at_wait)				/* synchronize_rcu(), or what is left of it where it is inlined */
{
	struct caller *c = caller_now();

	if (c && !c->waited) {
		c->waited = true;
		if (waiters && c->leads) {	/* another thread makes the next call */
			c->leads = false;
			irq_work_queue(&c->source->hand_on);
		}
	}
	return 0;
}

PROBE(at_sheaf)				/* __kfree_rcu_sheaf(cache, object): false sends the object to a block */
{
	struct caller *c = caller_now();

	if (!c)
		return 0;
	c->offered = true;
	c->n.sheaf_offered++;
	if (c->must_miss || fails(c->source, &c->source->for_sheaf, p_sheaf_ppm, calm_sheaf_ppm)) {
		c->refused = true;
		c->n.sheaf_refused++;
		return leave_with_0(regs);
	}
	return 0;
}

PROBE(at_slab)				/* kmalloc() of a new sheaf */
{
	struct caller *c;

	if (called_from(regs) != SHEAF)
		return 0;
	seen.sheaf_requests++;
	c = caller_now();
	if (c && fails(c->source, &c->source->for_slab, p_slab_ppm, calm_slab_ppm)) {
		c->refused = true;
		c->n.slab_fail++;
		return leave_with_0(regs);
	}
	return 0;
}

/* struct slab_sheaf of 7.2 and 7.3: 16 bytes, the cache, the size, the node, and the objects */
#define SHEAF_SIZE_AT 24
#define SHEAF_OBJECTS_AT 32

static void sheaf_freed(unsigned long sheaf)
{
	u32 size = *(u32 *)(sheaf + SHEAF_SIZE_AT), i, ours = 0;
	void **objects = (void **)(sheaf + SHEAF_OBJECTS_AT);

	for (i = 0; i < size; i++)
		ours += unmark(objects[i]);
	if (!ours)
		return;
	keep_time(seen.sheaf_us, seen.sheaves++);
	seen.in_sheaf += ours;
	seen.sheaf_largest = max_t(u64, seen.sheaf_largest, size);
}

PROBE(at_full_sheaf)			/* rcu_free_sheaf(head): the sheaf begins with it */
{
	sheaf_freed(regs->di);
	return 0;
}

PROBE(at_flushed_sheaf)			/* rcu_free_sheaf_nobarn(head) */
{
	if (called_from(regs) != SHEAF_CALLBACK)
		sheaf_freed(regs->di);
	return 0;
}

PROBE(at_monitor)
{
	keep_time(seen.monitor_us, seen.monitors++);
	seen.last_monitor = clock_ns();
	if (seen.first_stored) {
		span_add(&seen.until_monitor, seen.last_monitor - seen.first_stored);
		seen.first_stored = 0;
	}
	return 0;
}

PROBE(at_work)
{
	keep_time(seen.work_us, seen.works++);
	if (seen.last_monitor)
		span_add(&seen.until_work, clock_ns() - seen.last_monitor);
	return 0;
}

PROBE(at_refill) { keep_time(seen.refill_us, seen.refills++); return 0; }
PROBE(at_batch) { seen.batches++; return 0; }
PROBE(at_count) { seen.backoffs++; return 0; }
PROBE(at_scan) { seen.scans++; return 0; }

PROBE(at_block)				/* kvfree_rcu_bulk() frees a block */
{
	enum part from = called_from(regs);

	seen.blocks_by_monitor += from == MONITOR;
	seen.blocks_by_work += from == WORK;
	return 0;
}

static bool frees_deferred(enum part from)
{
	return from == BULK || from == WORK || from == MONITOR || from == LIST;
}

PROBE(at_bulk)				/* kmem_cache_free_bulk(cache, n, objects) */
{
	void **objects = (void **)regs->dx;
	unsigned long i;

	if (frees_deferred(called_from(regs)))
		for (i = 0; i < regs->si; i++)
			seen.in_bulk += unmark(objects[i]);
	return 0;
}

PROBE(at_vfree)				/* also where kvfree() goes on to it: then the mark is gone already */
{
	if (frees_deferred(called_from(regs)))
		seen.in_vmalloc += unmark((void *)regs->di);
	return 0;
}

PROBE(at_kvfree)			/* an entry of the list */
{
	if (frees_deferred(called_from(regs)))
		seen.in_list += unmark((void *)regs->di);
	return 0;
}

PROBE(at_gp_begin) { seen.gp_began = clock_ns(); return 0; }

PROBE(at_gp_end)
{
	if (seen.gp_began && counting) {
		sample(&grace_periods, clock_ns() - seen.gp_began);
		seen.gp_count++;
	}
	return 0;
}

static struct {
	const char *name;
	struct kprobe probe;
	bool set;
} probes[] = {
#define AT(symbol, handler) { .name = symbol, .probe = { .symbol_name = symbol, .pre_handler = handler } }
	AT("get_free_pages_noprof", at_page), AT("__get_free_pages", at_page),
	AT("__alloc_frozen_pages_noprof", at_allocator), AT("__alloc_pages_noprof", at_allocator),
	AT("__alloc_pages", at_allocator),
	AT("synchronize_rcu", at_wait), AT("__wait_rcu_gp", at_wait),	/* 6.1 inlines the first */
	AT("__kfree_rcu_sheaf", at_sheaf),
	AT("__kmalloc_flags_noprof", at_slab),
	AT("rcu_free_sheaf", at_full_sheaf), AT("rcu_free_sheaf_nobarn", at_flushed_sheaf),
	AT("kfree_rcu_monitor", at_monitor), AT("kfree_rcu_work", at_work), AT("kvfree_rcu_queue_batch", at_batch),
	AT("fill_page_cache_func", at_refill),
	AT("kfree_rcu_shrink_count", at_count), AT("kfree_rcu_shrink_scan", at_scan),
	AT("kvfree_rcu_bulk", at_block), AT("kmem_cache_free_bulk", at_bulk), AT("vfree", at_vfree),
	AT("kvfree", at_kvfree),
	AT("rcu_gp_init", at_gp_begin), AT("rcu_gp_cleanup", at_gp_end),
};
static u64 probes_missed;
static void (*barrier_of_kernel)(void);
static unsigned long (*scan_of_kernel)(struct shrinker *shrinker, struct shrink_control *control);

/*
 * A probe at the ftrace site where a function begins runs with interrupts on, and one that is hit in an interrupt
 * meanwhile is not counted. Five bytes further it is a breakpoint and runs with them off; nothing of the function
 * has run there either. (/init switches off that breakpoints become jumps.)
 */
static int probe_set(struct kprobe *probe)
{
	struct kprobe further = { .pre_handler = probe->pre_handler };
	int r = register_kprobe(probe);

	if (r || !(probe->flags & KPROBE_FLAG_FTRACE))
		return r;
	further.addr = (void *)((unsigned long)probe->addr + MCOUNT_INSN_SIZE);
	unregister_kprobe(probe);
	*probe = further;
	return register_kprobe(probe);
}

static void probes_begin(void)
{
	int i, cpu;

	for_each_possible_cpu(cpu)
		stream_init(&per_cpu_ptr(&refillers, cpu)->for_page, cpu, FOR_REFILL);
	parts_find();
	barrier_of_kernel = (void *)address_of("kvfree_rcu_barrier");
	scan_of_kernel = (void *)address_of("kfree_rcu_shrink_scan");
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (shown || probes[i].probe.pre_handler != at_allocator)	/* else each allocation would take longer */
			probes[i].set = !probe_set(&probes[i].probe);
}

static void probes_end(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].set) {
			unregister_kprobe(&probes[i].probe);
			probes_missed += probes[i].probe.nmissed;
		}
}
