/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data path of April 2020 on exported functions: a structure per CPU with blocks of 510 pointers in two
 * channels, a list of wrappers, two batches in flight, a monitor. Allocations fail where chance says so.
 */
#define BATCHES 2
#define CHANNELS 2
#define LIST CHANNELS		/* index of the list among what a batch holds */

struct block {
	unsigned long nr;
	struct block *next;
	void *rec[];
};
#define BLOCK_ENTRIES ((PAGE_SIZE - sizeof(struct block)) / sizeof(void *))

/* An entry of the list. That of a double-argument call lies in the object itself: then ptr is its own address. */
struct wrapper {
	void *ptr;
	struct rcu_head rh;	/* rh.next links the list */
};

#define CPU_COUNTS(X) \
	X(batches) X(mon) X(mon_repeat) X(attach_pending) X(early_lists) X(early_objs) X(pool_in) X(pool_in_cross) \
	X(page_recycled) X(page_freed) X(node_freed) X(refill_run) X(refill_page) X(freed_bulk) X(freed_head) \
	X(foreign) X(drained_at_once)
#define CALLER_COUNTS(X) \
	X(calls) X(calls_on) X(bulk) X(list) X(page_try) X(page_inj) X(page_real_fail) X(page_ok) X(page_cache) \
	X(obj_try) X(obj_inj) X(obj_real_fail) X(obj_ok) X(pool_hit) X(pool_miss) X(sync) X(sync_on) X(sync_ns) \
	X(moved) X(bursts) X(lag_bursts) X(obj_slow) X(double_calls) X(double_list) X(vmalloc_calls) X(waiter_full)
#define FIELD(name) u64 name;

struct percpu;

struct batch {
	struct rcu_work rw;
	bool asked;		/* in use with foreign_pct only, where rw is not queued as a whole */
	struct block *blocks[CHANNELS];
	struct wrapper *list;
	unsigned long cookie[CHANNELS + 1];
	unsigned int n[CHANNELS + 1];
	u64 t_queued;
	struct percpu *home;
};

struct percpu {
	spinlock_t lock;
	int cpu;
	struct block *blocks[CHANNELS];
	struct wrapper *list;
	unsigned int n[CHANNELS + 1];
	struct block *cache[CHANNELS];
	int cached[CHANNELS];
	struct wrapper **pool;
	int pooled;
	bool armed;
	u64 t_armed;
	struct delayed_work monitor;
	struct work_struct refiller;
	bool refilling;
	struct stream for_refill, for_foreign;
	struct batch batch[BATCHES];
	long pending, max_pending;
	struct { CPU_COUNTS(FIELD) } n_of;	/* under the lock */
};
static struct percpu __percpu *percpus;
static atomic_long_t all_pending;
static long all_max_pending;

#define BINS 24
struct caller {
	struct task_struct *task;
	int id;
	struct stream for_page, for_wrapper, for_arrival, for_channel, for_double, for_vmalloc;
	struct place at;
	struct { CALLER_COUNTS(FIELD) } n_of;
	/* by number since the episode began, and by ms since then; [0] in the first episode, [1] in later ones */
	u64 by_call[2][BINS], by_call_sync[2][BINS], by_ms[2][BINS], by_ms_sync[2][BINS];
	u64 obj_ns_max, t_last;
	void **objects;
	int n_objects;
	u64 stock_sync, stock_page_call, stock_page_fail;
	bool in_call;
};
static struct caller *callers;
static int n_callers;

static struct percpu *lock_this(unsigned long *flags)
{
	struct percpu *p;

	local_irq_save(*flags);
	p = this_cpu_ptr(percpus);
	spin_lock(&p->lock);
	return p;
}

static void unlock(struct percpu *p, unsigned long flags)
{
	spin_unlock(&p->lock);
	local_irq_restore(flags);
}

/* ---- the cache of pages, of each channel or one for both */
static struct block *cache_take(struct percpu *p, int ch)
{
	struct block *b;

	if (cache_shared)
		ch = 0;
	b = p->cache[ch];
	if (b) {
		p->cache[ch] = b->next;
		p->cached[ch]--;
	}
	return b;
}

static bool cache_give(struct percpu *p, int ch, struct block *b)
{
	if (cache_shared)
		ch = 0;
	if (p->cached[ch] >= cache_max)
		return false;
	b->next = p->cache[ch];
	p->cache[ch] = b;
	p->cached[ch]++;
	return true;
}

/* The worker of later kernels that tops the cache up after a miss; under pressure it fails like a call. */
static void refill_fn(struct work_struct *w)
{
	struct percpu *p = container_of(w, struct percpu, refiller);
	struct place at = { 0 };
	unsigned long flags;
	int ch, i;

	for (ch = 0; ch < (cache_shared ? 1 : CHANNELS); ch++)
		for (i = READ_ONCE(p->cached[ch]); i < cache_max; i++) {
			struct block *b = NULL;
			bool kept;

			if (!(pressure_on(&at, ktime_get_ns()) && draw_hit(&p->for_refill, p_page_ppm)))
				b = (struct block *)__get_free_page(GFP_KERNEL | __GFP_NORETRY |
								    __GFP_NOMEMALLOC | __GFP_NOWARN);
			if (!b)
				break;
			spin_lock_irqsave(&p->lock, flags);
			kept = cache_give(p, ch, b);
			p->n_of.refill_page += kept;
			spin_unlock_irqrestore(&p->lock, flags);
			if (!kept) {
				free_page((unsigned long)b);
				break;
			}
		}
	spin_lock_irqsave(&p->lock, flags);
	p->n_of.refill_run++;
	p->refilling = false;
	spin_unlock_irqrestore(&p->lock, flags);
}

/* ---- a call, step by step */
/* Inlined: the CPU time of a call is part of what is measured. */
static __always_inline bool into_block(struct caller *c, struct percpu *p, void *ptr, int ch, bool on)
{
	struct block *b = p->blocks[ch];

	if (!b || b->nr == BLOCK_ENTRIES) {
		if (!array_path)
			return false;
		b = cache_take(p, ch);
		if (b) {
			c->n_of.page_cache++;
		} else {
			c->n_of.page_try++;
			if (on && draw_hit(&c->for_page, p_page_ppm)) {
				c->n_of.page_inj++;
			} else {
				b = (struct block *)__get_free_page(GFP_NOWAIT | __GFP_NOWARN);
				if (b)
					c->n_of.page_ok++;
				else
					c->n_of.page_real_fail++;
			}
			if (refill && !p->refilling) {
				p->refilling = true;
				schedule_work(&p->refiller);
			}
		}
		if (!b)
			return false;
		b->nr = 0;
		b->next = p->blocks[ch];
		p->blocks[ch] = b;
	}
	b->rec[b->nr++] = ptr;
	p->n[ch]++;
	return true;
}

#ifdef __GFP_ATOMIC
#define TRYHARD (GFP_KERNEL | __GFP_HIGH | __GFP_RETRY_MAYFAIL | __GFP_NOWARN | __GFP_ATOMIC)
#else
#define TRYHARD (GFP_KERNEL | __GFP_HIGH | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
#endif
enum { HEAD_TRYHARD, HEAD_ATOMIC, HEAD_NONE, HEAD_THREE_STEP };

static noinline struct wrapper *alloc_otherwise(void)
{
	struct wrapper *w;

	if (head_alloc == HEAD_ATOMIC)
		return kmalloc(sizeof(*w), GFP_ATOMIC | __GFP_NOWARN);
	w = kmalloc(sizeof(*w), GFP_NOWAIT | __GFP_NOWARN);
	if (!w)
		w = kmalloc(sizeof(*w), GFP_ATOMIC | __GFP_NOWARN);
	if (!w)
		w = kmalloc(sizeof(*w), GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	return w;
}

static __always_inline struct wrapper *alloc_wrapper(struct caller *c, bool on)
{
	struct wrapper *w;
	u64 t;

	if (unlikely(head_alloc == HEAD_NONE))
		return NULL;
	c->n_of.obj_try++;
	if (on && draw_hit(&c->for_wrapper, p_obj_ppm)) {
		c->n_of.obj_inj++;
		return NULL;
	}
	t = ktime_get_ns();
	w = unlikely(head_alloc) ? alloc_otherwise() : kmalloc(sizeof(*w), TRYHARD);
	t = ktime_get_ns() - t;
	c->obj_ns_max = max(c->obj_ns_max, t);
	c->n_of.obj_slow += t > NSEC_PER_MSEC;
	if (w)
		c->n_of.obj_ok++;
	else
		c->n_of.obj_real_fail++;
	return w;
}

static void into_list(struct percpu *p, struct wrapper *w, void *ptr)
{
	w->ptr = ptr;
	w->rh.next = (void *)p->list;
	p->list = w;
	p->n[LIST]++;
}

static void arm(struct percpu *p, unsigned long delay)
{
	p->armed = true;
	p->t_armed = ktime_get_ns();
	schedule_delayed_work(&p->monitor, delay);
}

static noinline void arm_after_list(struct percpu *p)
{
	p->n_of.drained_at_once += expedited_drain;
	arm(p, expedited_drain ? 0 : drain_jiffies);
}

static __always_inline void deferred(struct percpu *p, bool in_list)
{
	long all;

	if (++p->pending > p->max_pending)
		p->max_pending = p->pending;
	all = atomic_long_inc_return(&all_pending);
	if (all > READ_ONCE(all_max_pending))
		WRITE_ONCE(all_max_pending, all);
	if (!p->armed) {
		if (in_list)
			arm_after_list(p);
		else
			arm(p, drain_jiffies);
	}
}

static void wait_for_gp(struct caller *c, void *ptr);

/* A single-argument call; true if it had to wait. */
static __always_inline bool free_single(struct caller *c, void *ptr, int ch, bool on)
{
	struct percpu *p, *then;
	struct wrapper *w;
	unsigned long flags;
	bool in_list = false;

	p = lock_this(&flags);
	if (into_block(c, p, ptr, ch, on)) {
		c->n_of.bulk++;
	} else {
		unlock(p, flags);
		w = alloc_wrapper(c, on);
		then = lock_this(&flags);
		c->n_of.moved += then != p;
		p = then;
		if (!w && pool > 0) {
			if (p->pooled) {
				w = p->pool[--p->pooled];
				c->n_of.pool_hit++;
			} else {
				c->n_of.pool_miss++;
			}
		}
		if (!w) {
			unlock(p, flags);
			wait_for_gp(c, ptr);
			return true;
		}
		into_list(p, w, ptr);
		c->n_of.list++;
		in_list = true;
	}
	deferred(p, in_list);
	unlock(p, flags);
	return false;
}

/* A double-argument call: its own rcu_head goes on the list when no block takes the pointer, so it never waits. */
static noinline void free_double(struct caller *c, void *ptr, int ch, bool on)
{
	unsigned long flags;
	struct percpu *p = lock_this(&flags);
	bool in_list = !into_block(c, p, ptr, ch, on);

	c->n_of.double_calls++;
	if (in_list) {
		into_list(p, ptr, ptr);
		c->n_of.list++;
		c->n_of.double_list++;
	} else {
		c->n_of.bulk++;
	}
	deferred(p, in_list);
	unlock(p, flags);
}

/* ---- monitor: hand what is queued to a batch that can take it */
static void foreign_fn(struct rcu_head *rh);

static bool queue_batch(struct batch *b)
{
	if (likely(!foreign_pct))
		return queue_rcu_work(system_wq, &b->rw);
	if (b->asked)
		return false;
	b->asked = true;
	call_rcu(&b->rw.rcu, foreign_fn);
	return true;
}

/* As on nocb CPUs: callbacks may run elsewhere, and the work then starts there. */
static void foreign_fn(struct rcu_head *rh)
{
	struct batch *b = container_of(rh, struct batch, rw.rcu);
	struct percpu *p = b->home;
	int cpu = p->cpu, others = num_online_cpus() - 1;
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	if (others > 0 && draw(&p->for_foreign) % 100 < foreign_pct) {
		int skip = draw(&p->for_foreign) % others;

		for_each_online_cpu(cpu)
			if (cpu != p->cpu && !skip--)
				break;
		p->n_of.foreign++;
	}
	queue_work_on(cpu, system_wq, &b->rw.work);
	spin_unlock_irqrestore(&p->lock, flags);
}

static bool anything(struct percpu *p)
{
	return p->blocks[0] || p->blocks[1] || p->list;
}

/* true if the monitor has to come again */
static bool drain(struct percpu *p)
{
	bool left = false, queued = false;
	int i, ch;

	for (i = 0; i < BATCHES; i++) {
		struct batch *b = &p->batch[i];
		bool take = p->list && !b->list;

		for (ch = 0; ch < CHANNELS; ch++)
			take |= p->blocks[ch] && !b->blocks[ch];
		if (!attach && (b->list || b->blocks[0] || b->blocks[1]))
			take = false;
		if (take) {
			unsigned long cookie = get_state_synchronize_rcu();

			for (ch = 0; ch < CHANNELS; ch++)
				if (!b->blocks[ch]) {
					b->blocks[ch] = p->blocks[ch];
					b->n[ch] = p->n[ch];
					b->cookie[ch] = cookie;
					p->blocks[ch] = NULL;
					p->n[ch] = 0;
				}
			if (!b->list) {
				b->list = p->list;
				b->n[LIST] = p->n[LIST];
				b->cookie[LIST] = cookie;
				p->list = NULL;
				p->n[LIST] = 0;
			}
			p->n_of.batches++;
			queued = true;
			if (queue_batch(b))
				b->t_queued = ktime_get_ns();
			else
				p->n_of.attach_pending++;
		}
		left |= anything(p);	/* looked at after each batch, as v5.9 does */
	}
	return left && !(rearm_unqueued && queued);
}

static void monitor_fn(struct work_struct *w)
{
	struct percpu *p = container_of(w, struct percpu, monitor.work);
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	if (p->armed) {
		sample(&monitor_delays, ktime_get_ns() - p->t_armed);
		p->n_of.mon++;
		p->armed = false;
		if (drain(p)) {
			p->n_of.mon_repeat++;
			arm(p, drain_jiffies);
		}
	}
	spin_unlock_irqrestore(&p->lock, flags);
}

/* ---- work: free what a grace period has passed for */
static void free_block(struct percpu *home, struct block *b, int ch)
{
	struct percpu *to = home;
	unsigned long flags;
	bool kept;
	int i;

	if (unlikely(vmalloc_pct && ch))
		for (i = 0; i < b->nr; i++)
			kvfree(b->rec[i]);
	else
		for (i = 0; i < b->nr; i++)
			kfree(b->rec[i]);
	if (unlikely(page_return_worker))
		to = lock_this(&flags);
	else
		spin_lock_irqsave(&to->lock, flags);
	kept = cache_give(to, ch, b);
	if (kept)
		to->n_of.page_recycled++;
	else
		to->n_of.page_freed++;
	spin_unlock_irqrestore(&to->lock, flags);
	if (!kept)
		free_page((unsigned long)b);
	cond_resched();
}

static void free_list(struct percpu *home, struct wrapper *w)
{
	struct wrapper *next;
	struct percpu *here;
	unsigned long flags;

	for (; w; w = next) {
		bool own = w->ptr == w;		/* of a double-argument call: no wrapper to keep */

		next = (struct wrapper *)w->rh.next;
		if (unlikely(vmalloc_pct))
			kvfree(w->ptr);
		else
			kfree(w->ptr);
		if (!own) {
			here = lock_this(&flags);	/* the CPU this work runs on, as in the patch */
			if (here->pool && here->pooled < pool) {
				here->pool[here->pooled++] = w;
				here->n_of.pool_in++;
				here->n_of.pool_in_cross += here != home;
				w = NULL;
			} else {
				here->n_of.node_freed++;
			}
			unlock(here, flags);
			kfree(w);
		}
		cond_resched();
	}
}

static void work_fn(struct work_struct *w)
{
	struct batch *b = container_of(to_rcu_work(w), struct batch, rw);
	struct percpu *p = b->home;
	struct block *blocks[CHANNELS], *next;
	struct wrapper *list;
	unsigned long flags;
	int ch;
	u64 now = ktime_get_ns();

	spin_lock_irqsave(&p->lock, flags);
	b->asked = false;
	for (ch = 0; ch <= LIST; ch++) {
		if (b->n[ch] && !poll_state_synchronize_rcu(b->cookie[ch])) {
			p->n_of.early_lists++;	/* no full grace period since they joined */
			p->n_of.early_objs += b->n[ch];
		}
		p->pending -= b->n[ch];
		atomic_long_sub(b->n[ch], &all_pending);
		if (ch < LIST)
			p->n_of.freed_bulk += b->n[ch];
		else
			p->n_of.freed_head += b->n[ch];
		b->n[ch] = 0;
	}
	for (ch = 0; ch < CHANNELS; ch++) {
		blocks[ch] = b->blocks[ch];
		b->blocks[ch] = NULL;
	}
	list = b->list;
	b->list = NULL;
	sample(&batch_waits, now - b->t_queued);
	spin_unlock_irqrestore(&p->lock, flags);

	for (ch = 0; ch < CHANNELS; ch++)
		for (; blocks[ch]; blocks[ch] = next) {
			next = blocks[ch]->next;
			free_block(p, blocks[ch], ch);
		}
	free_list(p, list);
}

/* ---- birth and end */
static void percpus_init(void)
{
	int cpu, i, ch;

	for_each_possible_cpu(cpu) {
		struct percpu *p = per_cpu_ptr(percpus, cpu);

		spin_lock_init(&p->lock);
		p->cpu = cpu;
		INIT_DELAYED_WORK(&p->monitor, monitor_fn);
		INIT_WORK(&p->refiller, refill_fn);
		stream_init(&p->for_refill, cpu, FOR_REFILL);
		stream_init(&p->for_foreign, cpu, FOR_FOREIGN);
		for (i = 0; i < BATCHES; i++) {
			INIT_RCU_WORK(&p->batch[i].rw, work_fn);
			p->batch[i].home = p;
		}
		if (pool > 0)
			p->pool = kcalloc(pool, sizeof(void *), GFP_KERNEL);
		while (p->pool && pool_prefill && p->pooled < pool) {
			struct wrapper *w = kmalloc(sizeof(*w), GFP_KERNEL);

			if (!w)
				break;
			p->pool[p->pooled++] = w;
		}
		for (ch = 0; ch < (cache_shared ? 1 : CHANNELS); ch++)
			for (i = 0; i < cache_prefill; i++) {
				struct block *b = (struct block *)__get_free_page(GFP_KERNEL);

				if (b && !cache_give(p, ch, b))
					free_page((unsigned long)b);
			}
	}
}

static void percpus_end(void)
{
	int cpu, i, ch;

	if (foreign_pct)
		rcu_barrier();
	for_each_possible_cpu(cpu) {
		struct percpu *p = per_cpu_ptr(percpus, cpu);

		cancel_work_sync(&p->refiller);
		cancel_delayed_work_sync(&p->monitor);
		for (i = 0; i < BATCHES; i++) {
			flush_rcu_work(&p->batch[i].rw);
			flush_work(&p->batch[i].rw.work);
		}
		while (p->pooled)
			kfree(p->pool[--p->pooled]);
		kfree(p->pool);
		for (ch = 0; ch < CHANNELS; ch++) {
			struct block *b;

			while ((b = cache_take(p, ch)))
				free_page((unsigned long)b);
		}
	}
	rcu_barrier();
}
