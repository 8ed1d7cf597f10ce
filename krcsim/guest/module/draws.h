/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What chance decides: streams of splitmix64, and the episodes of pressure drawn from one of them.
 *
 * A stream is known by who draws (producer or CPU) and for what; krcsim draws the same numbers again
 * to know the episodes of a recorded run, so neither the streams nor the integer logarithm may change.
 */
enum draw_for {
	FOR_PAGE = 1, FOR_WRAPPER, FOR_ARRIVAL, FOR_CHANNEL, FOR_GP_CASE, FOR_DOUBLE, FOR_VMALLOC,
	FOR_FOREIGN, FOR_REFILL, FOR_SHEAF, FOR_SLAB, FOR_EPISODES = 77,
};

struct stream {
	u64 state;
};

static u64 mix64(u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void stream_init(struct stream *s, int who, enum draw_for what)
{
	s->state = mix64(mix64((u64)seed) ^ ((u64)who << 32) ^ (u64)what);
}

static u64 draw(struct stream *s)
{
	s->state += 0x9e3779b97f4a7c15ULL;
	return mix64(s->state);
}

static bool draw_hit(struct stream *s, int ppm)
{
	if (ppm <= 0)
		return false;
	if (ppm >= 1000000)
		return true;
	return (draw(s) >> 11) < (u64)ppm * ((1ULL << 53) / 1000000);
}

/* Exponential with a given mean: -mean ln(u), with log2(u) to 16 binary digits, one a squaring. */
static u64 draw_exp(struct stream *s, u64 mean)
{
	u64 u = draw(s) | 1, fraction = 0, x;
	int zeros = 64 - fls64(u), digit;

	x = (u << zeros) >> 32;				/* in [2^31, 2^32) */
	for (digit = 15; digit >= 0; digit--) {
		x = (x * x) >> 31;
		if (x >> 32) {
			x >>= 1;
			fraction |= 1ULL << digit;
		}
	}
	x = ((u64)(zeros + 1) << 16) - fraction;	/* -log2(u), 16 binary digits */
	return ((x * 45426) >> 16) * mean >> 16;	/* 45426 / 65536 is ln 2 */
}

/* ---- episodes: at even entries pressure comes on, at odd ones it goes */
#define MAX_SWITCHES 4096
static u64 *switches;
static int n_switches;
static u64 t_start, t_end;

static void plan_episodes(void)
{
	const u64 on = (u64)on_ms * NSEC_PER_MSEC, off = (u64)off_ms * NSEC_PER_MSEC;
	u64 t = (u64)onset_ms * NSEC_PER_MSEC;
	struct stream s;

	stream_init(&s, 0, FOR_EPISODES);
	while (n_switches < MAX_SWITCHES && t < (u64)dur_ms * NSEC_PER_MSEC) {
		switches[n_switches++] = t;
		if (!on_ms)
			break;
		t += epi_exp ? draw_exp(&s, on) : on;
		switches[n_switches++] = t;
		t += epi_exp ? draw_exp(&s, off) : off;
	}
}

/* A reader of the plan, which only goes forward. */
struct place {
	int passed;		/* switches */
	u64 calls;		/* made in this episode */
};

static bool pressure_on(struct place *at, u64 now)
{
	u64 t = now - t_start;

	while (at->passed < n_switches && switches[at->passed] <= t) {
		at->passed++;
		at->calls = 0;
	}
	return at->passed & 1;
}
