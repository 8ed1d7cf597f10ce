/* SPDX-License-Identifier: GPL-2.0-only */
/* The wait of a call that found no memory: made by the caller, or handed to one of `waiters` threads. */
struct waiter {
	struct task_struct *task;
	struct completion wake;
	struct rcu_head rh;
	void *ptr;
	u64 t, ns;
	struct waiter *next;
};
static struct waiter *waiter_threads, *idle_waiters;
static DEFINE_SPINLOCK(waiters_lock);
static atomic_t n_waiting;
static bool waiters_end;

static void waiter_wake(struct rcu_head *rh)
{
	complete(&container_of(rh, struct waiter, rh)->wake);
}

static int waiter_fn(void *arg)
{
	struct waiter *w = arg;
	unsigned long flags;

	for (;;) {
		if (wait_for_completion_interruptible(&w->wake))
			continue;
		if (READ_ONCE(waiters_end))
			break;
		if (sync_exp)
			synchronize_rcu_expedited();
		w->t = ktime_get_ns() - w->t;
		w->ns += w->t;
		sample(&sync_waits, w->t);
		kvfree(w->ptr);
		spin_lock_irqsave(&waiters_lock, flags);
		w->next = idle_waiters;
		idle_waiters = w;
		spin_unlock_irqrestore(&waiters_lock, flags);
		atomic_dec(&n_waiting);
	}
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

/* The callback is queued here and now, as synchronize_rcu() does it; only the sleep is another thread's. */
static bool hand_over(struct caller *c, void *ptr, u64 t)
{
	unsigned long flags;
	struct waiter *w;

	spin_lock_irqsave(&waiters_lock, flags);
	w = idle_waiters;
	if (w)
		idle_waiters = w->next;
	spin_unlock_irqrestore(&waiters_lock, flags);
	if (!w) {
		c->n_of.waiter_full++;
		return false;
	}
	atomic_inc(&n_waiting);
	w->ptr = ptr;
	w->t = t;
	if (sync_exp)
		complete(&w->wake);
	else
		call_rcu(&w->rh, waiter_wake);
	return true;
}

static void wait_for_gp(struct caller *c, void *ptr)
{
	u64 t = ktime_get_ns();

	c->n_of.sync++;
	if (waiters && hand_over(c, ptr, t))
		return;
	if (sync_exp)
		synchronize_rcu_expedited();
	else
		synchronize_rcu();
	t = ktime_get_ns() - t;
	sample(&sync_waits, t);
	c->n_of.sync_ns += t;
	if (unlikely(vmalloc_pct))
		kvfree(ptr);
	else
		kfree(ptr);
}

static int waiters_init(void)
{
	int i;

	if (!waiters)
		return 0;
	waiter_threads = vzalloc(waiters * sizeof(*waiter_threads));
	for (i = 0; waiter_threads && i < waiters; i++) {
		struct waiter *w = &waiter_threads[i];

		init_completion(&w->wake);
		w->task = kthread_run(waiter_fn, w, "krcmeter_wait/%d", i);
		if (IS_ERR(w->task))
			return PTR_ERR(w->task);
		w->next = idle_waiters;
		idle_waiters = w;
	}
	return waiter_threads ? 0 : -ENOMEM;
}

static u64 waiters_finish(void)		/* returns the time waited, in ns */
{
	u64 ns = 0;
	int i;

	for (i = 0; i < 1000 && atomic_read(&n_waiting); i++)
		msleep(20);
	rcu_barrier();
	WRITE_ONCE(waiters_end, true);
	for (i = 0; waiter_threads && i < waiters; i++) {
		complete(&waiter_threads[i].wake);
		kthread_stop(waiter_threads[i].task);
		ns += waiter_threads[i].ns;
	}
	vfree(waiter_threads);
	waiter_threads = NULL;
	return ns;
}
