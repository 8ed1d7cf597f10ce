#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# krcsim's recorder: how kfree_rcu() is called on this machine, and how pages and grace periods do.
# @COMMAND@
#
#   sh krcsim-record.sh [SECONDS]    record, as root; Ctrl-C ends it early, and what there is is kept
#   sh krcsim-record.sh off          switch off what a killed recorder left behind
#
# It counts in the kernel, by probes and histograms of tracefs in an instance of their own, and writes
# one archive into one folder. No addresses and @NAMES@ are kept. At the end,
# after Ctrl-C too, everything is switched off again; after kill -9 the next start does that.
# It takes @MOST@ % of the CPU time at most: calls that come too often for that are counted in a part of
# the time, and the archive says when.
set -u
LC_ALL=C
export LC_ALL
seconds=@SECONDS@
most_mib=@MIB@
folder=@FOLDER@
keep_names=@KEEP@
most_cpu=@MOST@

say() { printf 'krcsim-record: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

wanted=${1:-$seconds}
case $wanted in
off) ;;
'' | *[!0-9]*) fail "$wanted is no number of seconds; write for example: sh $0 60" ;;
*) [ "$wanted" -ge 1 ] && [ "$wanted" -le 3600 ] || fail "$wanted s; allowed: 1 to 3600" ;;
esac
[ "$(id -u)" = 0 ] || fail "it needs root; run it with sudo"
for tracing in /sys/kernel/tracing /sys/kernel/debug/tracing; do
	[ -e $tracing/kprobe_events ] && break
done
[ -e $tracing/kprobe_events ] || fail "there is no tracefs with kprobe events; mount it: mount -t tracefs nodev /sys/kernel/tracing"
kprobes=$tracing/kprobe_events

# ---- off: an instance with its triggers, then the probes, by the tag that both carry
off() {
	for instance in "$tracing/instances/$1" "$tracing/instances/$1_calls"; do
		[ -d "$instance" ] || continue
		for trigger in "$instance/events/$1"/*/trigger "$instance/events/kmem/mm_page_alloc/trigger"; do
			[ -e "$trigger" ] && : >"$trigger"
		done
		echo 0 >"$instance/events/enable"
		rmdir "$instance"
	done 2>/dev/null
	grep -o ":$1/[A-Za-z0-9_]*" $kprobes | while read -r probe; do
		echo "-$probe" >>$kprobes
	done
	[ ! -d "$tracing/instances/$1" ] && [ ! -d "$tracing/instances/$1_calls" ] && ! grep -q ":$1/" $kprobes
}

# A recorder that runs holds a file open by which it is known; a PID alone may be somebody else by now.
runs() { case $(readlink "/proc/$1/fd/9" 2>/dev/null) in */krcsim-recorder-runs*) return 0 ;; *) return 1 ;; esac; }

for tag in $({ ls $tracing/instances; grep -o 'krcsim_[0-9]*' $kprobes; } 2>/dev/null | grep -o '^krcsim_[0-9][0-9]*' | sort -u); do
	runs "${tag#krcsim_}" && fail "another recorder runs (process ${tag#krcsim_}); wait for it or end it"
	off "$tag" || fail "what an earlier recorder left behind ($tag) cannot be switched off; see $kprobes"
	say "switched off what an earlier recorder left behind ($tag)"
done
[ "$wanted" = off ] && exit 0

mkdir -p "$folder" || fail "the folder $folder cannot be made; choose another"
rm -f "$folder"/krcsim-recorder-runs "$folder"/.part "$folder"/.times
exec 9>"$folder/krcsim-recorder-runs" || fail "nothing can be written into $folder; choose another"

me=krcsim_$$
here=$tracing/instances/$me
stopped=
finish() {
	trap '' INT TERM HUP
	off $me || say "not everything could be switched off; run: sh $0 off"
	exec 9>&-
	rm -f "$folder/krcsim-recorder-runs" "$folder/.part" "$folder/.times"
}
trap finish EXIT
trap 'stopped=1' INT TERM HUP

mkdir "$here" "${here}_calls" || fail "tracefs gives no instance of its own (is the kernel locked down?)"
echo boot >"$here/trace_clock" || fail "this kernel has no trace clock boot"
echo 64 >"${here}_calls/buffer_size_kb"

probe() { echo "$1:$me/$2 $3" >>$kprobes; } 2>/dev/null
trigger() { echo "$2" >>"$here/events/$1/trigger"; } 2>/dev/null
enable() { echo 1 >"$here/events/$1/enable"; } 2>/dev/null
uptime_now() { cut -d' ' -f1 /proc/uptime; }

# ---- where vmalloc() begins, asked of the kernel by one read of this process
base=
if [ "$(uname -m)" = x86_64 ] && probe p base 'vfs_read base=@vmalloc_base:x64'; then
	echo "common_pid == $$" >"$here/events/$me/base/filter"
	enable $me/base
	read -r _ </proc/uptime
	base=$(grep -o 'base=0x[0-9a-f]*' "$here/trace" | head -n 1 | cut -d= -f2)
	echo 0 >"$here/events/$me/base/enable"
	: >"$here/trace"
	echo "-:$me/base" >>$kprobes
fi
case $base in 0xffff????????????) ;; *) base= ;; esac

# ---- how large the histograms must be: a row for each CPU and 10 ms with a call
cpus=$(grep -c '^processor' /proc/cpuinfo)
[ "$cpus" -ge 1 ] || cpus=1
most=$((131072 / (100 * cpus)))
[ $most -ge 1 ] || most=1
if [ "$wanted" -gt $most ]; then
	say "$cpus CPUs have room for $most s; recording so long"
	wanted=$most
fi
few=2048
while [ $few -lt $((wanted * 400)) ] && [ $few -lt 131072 ]; do few=$((few * 2)); done
runs=2048 # a row for each 0.1 s, in which something ran
while [ $runs -lt $((wanted * 15)) ]; do runs=$((runs * 2)); done
echo $((most_mib * 512 / cpus + 64)) >"$here/buffer_size_kb"

by_time=common_timestamp.buckets=10000000
# A pointer of the kernel has bit 63; a call with one argument has 0 in place of the first.
at_entry='head=$arg1:x64 arg=$arg2:x64 two=$arg1:b1@63/64'
behind_entry='head=%di:x64 arg=%si:x64 two=%di:b1@63/64'
paired= # both kinds of calls in a histogram, where its rows suffice: fewer of them are faster set up
a_second=125
[ $((wanted * 250 * cpus)) -le 131072 ] && paired=,two a_second=250
rows=2048
while [ $rows -lt $((wanted * a_second * cpus)) ] && [ $rows -lt 131072 ]; do rows=$((rows * 2)); done
# Each new histogram by time empties the buffer of its instance, so those of calls are in another than the events.
named() { echo "hist:name=${me}_$2:keys=$by_time,cpu$paired:size=$3:clock=boot$4" >>"${here}_calls/events/$1/trigger"; } 2>/dev/null
count_calls() { # EVENT ROWS: into histograms that bear names: they last as long as any event has them
	case $paired$base in
	,two) named "$1" any "$2" "" ;;
	,two*)
		named "$1" slab "$2" " if head < $base && (head != 0 || arg < $base)" &&
			named "$1" vmalloc "$2" " if head >= $base || (head == 0 && arg >= $base)"
		;;
	'') named "$1" 1 "$2" " if head == 0" && named "$1" 2 "$2" " if head != 0" ;;
	*)
		named "$1" 1 "$2" " if head == 0 && arg < $base" && named "$1" 2 "$2" " if head == 0 && arg >= $base" &&
			named "$1" 3 "$2" " if head != 0 && head < $base" && named "$1" 4 "$2" " if head != 0 && head >= $base"
		;;
	esac
}
count_nothing() {
	true >"$here/events/$me/$1/trigger"
	true >"${here}_calls/events/$me/$1/trigger"
} 2>/dev/null
histogram() { # EVENT NUMBER [PATTERN [INSTANCE]]: rows of the one of that number among the histograms of an event
	# Its comments repeat the filters, and with them the address where vmalloc() begins.
	awk -v wanted="$2" -v pattern="${3:-}" '/^# event histogram/ {n++} n == wanted && /^[{]/ && $0 ~ pattern' "${4:-$here}/events/$1/hist"
}
profile() { # how often the probes were hit, into $calls, $sheaves and $others
	calls=0 sheaves=0 others=0
	while read -r name hits _; do
		case $name in
		kvf | kvf_behind) calls=$((calls + hits)) ;;
		sheaf | size) sheaves=$((sheaves + hits)) ;;
		gps | gpe | sync | sync_end | sync_old | sync_old_end | monitor | work | refill | shrinker) others=$((others + hits)) ;;
		esac
	done <$tracing/kprobe_profile
}
clock() { # hundredths of a second since the start of the machine, into $now
	read -r now _ </proc/uptime
	now=${now%.*}${now#*.}
	while [ "${now#0}" != "$now" ]; do now=${now#0}; done
}
begin_nap() { # HUNDREDTHS of a second
	rest=$(($1 % 100))
	[ $rest -ge 10 ] || rest=0$rest
	sleep $(($1 / 100)).$rest &
}
end_nap() { # or a signal ends it
	[ "$stopped" ] || wait $!
	[ ! "$stopped" ] || kill $!
} 2>/dev/null
nap() {
	[ "$1" -ge 1 ] && [ ! "$stopped" ] || return 0
	begin_nap "$1"
	end_nap
}

# ---- what a counted call costs here, and beginning and ending to count: bytes into /dev/null, one at a time
many=200000
spent() { # seconds of CPU time of this process and its children, into $spent; a subshell would have others
	times >"$folder/.times"
	spent=$(awk '{gsub(/[ms]/, " "); split($0, t, " "); s += t[1] * 60 + t[2] + t[3] * 60 + t[4]} END {printf "%.3f", s}' "$folder/.times")
}
bytes() { dd if=/dev/zero of=/dev/null bs=1 count=$many 2>/dev/null; }
cost_of() { # PROBE: ns of a counted call, us of a slice of time without calls, into $ns and $us
	ns=0 us=0
	probe p cost "$1" || return
	bytes # once for nothing, so that both find the same caches
	spent
	all=$spent
	bytes
	spent
	all="$all $spent"
	count_calls $me/cost $rows && bytes
	spent
	ns=$(echo "$all $spent" | awk -v n=$many '{d = ($3 - $2) - ($2 - $1); printf "%d", (d > 0.01 ? d : 0.01) * 1e9 / n}')
	count_nothing cost
	count_calls $me/held 128 # holds them, as it will while calls are counted
	spent
	all=$spent
	for _ in 1 2 3 4; do
		count_calls $me/cost 128
		nap 1
		count_nothing cost
		nap 1
		profile
	done
	spent
	us=$(echo "$all $spent" | awk '{printf "%d", ($2 - $1 > 0.01 ? $2 - $1 : 0.01) / 4 * 1e6}')
	count_nothing held
	echo "-:$me/cost" >>$kprobes
}
for function in kernel_restart kernel_halt kernel_power_off; do # nobody calls it meanwhile
	probe p held "$function $at_entry" && break
done
cost_of "vfs_write $at_entry"
ns_entry=$ns us_entry=$us
# Behind the entry it takes a breakpoint, which is quick to set: no other place of the kernel is patched.
behind=
if [ "$(uname -m)" = x86_64 ] && [ $most_cpu != 100 ] && grep -q '^kvfree_call_rcu$' $tracing/available_filter_functions; then
	for behind in 5 9 ''; do
		[ "$behind" ] && probe p kvf_behind "kvfree_call_rcu+$behind $behind_entry" && break
	done
fi
[ "$stopped" ] && fail "stopped before anything was recorded"

# ---- on
armed=reclaims
probe p kvf "kvfree_call_rcu $at_entry" ||
	fail "kvfree_call_rcu() cannot be probed: a kernel before v5.9, or one that is locked down"
count_calls $me/held $rows || fail "this kernel has no histograms by time (before v5.14); give trace_pipe to krcsim read instead"

for pair in gps:rcu_gp_init gpe:rcu_gp_cleanup sync:synchronize_rcu sync_old:__wait_rcu_gp; do
	probe p "${pair%%:*}" "${pair#*:}" && enable "$me/${pair%%:*}"
done
for pair in sync_end:synchronize_rcu sync_old_end:__wait_rcu_gp; do
	probe r "${pair%%:*}" "${pair#*:}" && enable "$me/${pair%%:*}"
done
[ -d "$here/events/$me/gpe" ] && armed="$armed grace_periods"
[ -d "$here/events/$me/sync" ] && armed="$armed waits"

counts=
for pair in monitor:kfree_rcu_monitor work:kfree_rcu_work refill:fill_page_cache_func shrinker:kfree_rcu_shrink_count; do
	probe p "${pair%%:*}" "${pair#*:}" &&
		trigger "$me/${pair%%:*}" "hist:keys=common_timestamp.buckets=100000000:size=$runs:clock=boot" && counts="$counts ${pair%%:*}"
done
probe r sheaf '__kfree_rcu_sheaf ok=$retval:u8'
probe p size '__kfree_rcu_sheaf size=s->object_size:u32'
count_sheaves() {
	[ ! -d "$here/events/$me/sheaf" ] || trigger $me/sheaf hist:keys=ok
	[ ! -d "$here/events/$me/size" ] || trigger $me/size hist:keys=size
}
end_sheaves() { # what was counted of them until now into $of_sheaves and $of_sizes
	if [ -d "$here/events/$me/sheaf" ]; then
		of_sheaves=$(histogram $me/sheaf 1)
		count_nothing sheaf
	fi
	if [ -d "$here/events/$me/size" ]; then
		of_sizes=$(histogram $me/size 1)
		count_nothing size
	fi
}
of_sheaves= of_sizes=
count_sheaves
[ -d "$here/events/$me/sheaf" ] && armed="$armed sheaves"
[ -d "$here/events/$me/size" ] && armed="$armed sizes"

for event in mm_vmscan_direct_reclaim_begin mm_vmscan_direct_reclaim_end mm_vmscan_kswapd_wake mm_vmscan_kswapd_sleep; do
	enable vmscan/$event
done

pressure() { grep -E '^(allocstall|pgscan_(direct|kswapd)|pgsteal_(direct|kswapd)|oom_kill)' /proc/vmstat; }
jiffies() { sed -n 's/^jiffies: *//p' /proc/timer_list 2>/dev/null | head -n 1; }

# ---- a short look, which is not kept: how often things happen, and what may be counted for $most_cpu %
pages_allocated() { awk '/^pgalloc_/ {n += $2} END {printf "%d", n}' /proc/vmstat; }
count_calls $me/kvf 128
pages=$(pages_allocated)
nap 1
pages="$pages $(pages_allocated)" # what this itself takes
clock
look=$now
profile
seen="$calls $sheaves $others"
nap 50
profile
seen="$seen $calls $sheaves $others"
clock
count_nothing kvf
ns_in_10_ms=$(echo "$seen $((now - look)) $ns_entry $cpus" | awk '{printf "%d", ($4 - $1) * $8 / $7 / $9}')
pages=$(echo "$pages $(pages_allocated)" | awk '{n = ($3 - $2) - ($2 - $1); print (n > 0 ? n : 0)}')
ns=0 us=0 look=$((now - look))
if [ "$behind" ] && [ "$ns_in_10_ms" -ge 100000 ]; then # counting all of them would take 1 %
	count_nothing held
	cost_of "vfs_write+$behind $behind_entry"
	count_calls $me/held $rows
fi
ns_behind=$ns us_behind=$us
plan=$(echo "$look $seen $pages $wanted $cpus $most_cpu $ns_entry $us_entry $ns_behind $us_behind" | awk '
	function slices(ns, us,    n, s) { # as many as 12, of 0.3 s at least where that can be
		for (least = 0.3; least > 0.05; least -= 0.2)
			for (n = 12; n >= 1; n--) {
				s = (budget - n * us / 1e6) / (n * rate * ns / 1e9 + 1e-9) - 0.12 # while a part begins and ends
				if (s > 0.9 * seconds / n) s = 0.9 * seconds / n
				if (s >= least) { many = n; each = s; return n * s }
			}
		return 0
	}
	{
		look = $1 / 100; rate = ($5 - $2) / look; other = (($6 - $3) + ($7 - $4) / 2) / look; pages = $8 / look / 2
		seconds = $9; cpus = $10; most = $11 / 100 * cpus * 0.9 # some is left for chance
		with_pages = $11 >= 100 || pages * $12 / 1e9 <= most / 2
		others = ($7 - $4) / look / 2 * $12 / 1e9 + (with_pages ? pages * $12 / 1e9 : 0)
		checks = seconds < 24 ? int(seconds / 2) + 1 : 12 # whether calls have begun to come more often
		light = $11 >= 100 || (rate + other) * $12 / 1e9 <= most / 10
		all = light || (rate + other) * $12 / 1e9 + others + $13 / 1e6 * checks / seconds <= most
		budget = (most - others) * seconds
		place = "kvf"; ns = $12; us = $13
		first = slices($12, $13); n = many; s = each
		if ($14 && slices($14, $15) > first) { place = "kvf_behind"; ns = $14; us = $15; n = many; s = each; first = 1 }
		if (!first) n = 0
		printf "%d %d %d %d %s %d %d %d %d %d", all, with_pages, ($11 >= 100 ? 1 : all ? checks : n), n ? s * 100 : 10, place, ns, us, budget * 1e6, others * 1e6, rate
		if (!n && !all) printf " never"
	}')
# Words: all at first; page requests; parts of the recording; hundredths of a second in each; probe; ns of a call,
# us of a slice; us for calls; us a second for other things; calls a second.
set -- $plan
all_calls=${1#0} with_pages=$2 parts=$3 each=$4 place=$5 ns=$6 us=$7 budget=$8 others_us=$9
shift 9
[ $# = 1 ] || fail "$1 calls a second cannot be counted for $most_cpu % of the CPU time, not even for a moment; record longer, or print it with a larger --most-cpu"
ns_place=$ns
[ "$all_calls" ] && ns=$ns_entry

pages='order == 0 && (!(gfp_flags & 0x400) || gfp_flags & 0x10000)'
if [ "$with_pages" = 1 ]; then
	trigger kmem/mm_page_alloc "hist:keys=$by_time,gfp_flags:size=$few:clock=boot if $pages" &&
		trigger kmem/mm_page_alloc "hist:keys=$by_time,gfp_flags:size=$few:clock=boot if $pages && pfn == 0xffffffffffffffff" &&
		armed="$armed page noretry"
else
	say "page requests are left out: so many pages are allocated that it would take half of $most_cpu % of the CPU time"
fi
end_sheaves # of the short look; that is all there is of them where calls are counted in parts
say "recording for $wanted s; Ctrl-C ends it early"
before=$(pressure)
jiffies_before=$(jiffies)
stalled_before=$(head -n 1 /proc/pressure/memory 2>/dev/null)
if [ "$all_calls" ]; then
	count_sheaves
	count_calls $me/kvf 128
fi
profile
first_calls=$calls last_calls=$calls last_sheaves=$sheaves
spent_us=0 slices=0 lag=4 counted=
clock
begin=$now random=$((now % 65536 + $$)) part=0 width=$((wanted * 100 / parts))
start=$(uptime_now)
# As little as possible is done meanwhile: processes that begin and end make calls of kfree_rcu() themselves.
while [ $part -lt "$parts" ] && [ ! "$stopped" ]; do
	clock
	part=$((part + 1)) first=$now
	if [ "$all_calls" ]; then
		nap $((begin + part * width - now))
		clock
	else # somewhere in this part, so that a load with a period is not always met at the same place
		random=$(((random * 1103515245 + 12345) % 2147483648)) room=$((width * 95 / 100 - each))
		[ $room -ge 1 ] || room=1
		nap $((begin + (part - 1) * width + random / 32768 % room - now))
		[ ! "$stopped" ] || break
		clock
		begun=$now first=$((now + 4)) # what begins the nap is over by then
		begin_nap $((each + lag))
		count_calls "$me/$place" 128
		clock # on 6.12 the last histogram begins up to 20 ms after this
		[ $first -ge $((now + 4)) ] || first=$((now + 4))
		lag=$((first - begun))
		end_nap
		clock
		count_nothing "$place"
		slices=$((slices + 1)) spent_us=$((spent_us + us))
	fi
	[ "$stopped" ] || counted="$counted$first $now
"
	profile
	used=$(((calls - last_calls + sheaves - last_sheaves) * ns / 1000))
	spent_us=$((spent_us + used)) last_calls=$calls last_sheaves=$sheaves
	# Where calls come more often than before, the rest is counted in shorter parts.
	left=$((budget - spent_us - (parts - part) * us)) ahead=$((used * (parts - part)))
	[ $left -ge 1 ] || left=1
	if [ "$all_calls" ]; then
		[ "$most_cpu" = 100 ] || [ $ahead -le $((left * 11 / 10)) ] && continue
		count_nothing kvf
		end_sheaves
		all_calls= each=$((now - first)) ns_all=$ns ns=$ns_place
		ahead=$((ahead * ns / ns_all))
	elif [ $((spent_us * (parts - part) / part)) -le $((left * 11 / 10)) ]; then
		continue
	fi
	each=$((each * left / (ahead + 1)))
	[ "$each" -ge 10 ] || each=10
done
clock
nap $((begin + wanted * 100 - now))
stop=$(uptime_now)
[ "$all_calls" ] && end_sheaves
stalled_after=$(head -n 1 /proc/pressure/memory 2>/dev/null)
jiffies_after=$(jiffies)
after=$(pressure)

# ---- the archive
percent=$(echo "$spent_us $others_us $start $stop $cpus" | awk '{printf "%.2g", ($1 / ($4 - $3) + $2) / $5 / 1e4}')
parameter() {
	for file in /sys/module/rcutree/parameters/$1 /sys/module/slab_common/parameters/$1; do
		[ -r "$file" ] && echo "$1 $(cat "$file")" && return
	done
}
if [ $keep_names = 1 ]; then
	names() { cat; }
else
	names() { sed 's/^[^#].*-\([0-9][0-9]*\)  *\(([ 0-9-]*) *\)\{0,1\}\[\([0-9][0-9]*\)\] /x-\1 [\3] /'; }
fi
archive() {
	if [ "$all_calls" ]; then
		echo '#@krcsim-recording 1'
	else
		echo '#@krcsim-recording 2'
	fi
	[ ! "$all_calls$counted" ] || armed="calls $armed"
	echo "#@armed $armed"
	echo "#@span $start $stop"
	[ "$all_calls" ] || printf %s "$counted" | awk '{printf "#@counted %.2f %.2f\n", ($1 + 1) / 100, $2 / 100}'
	echo '#@machine'
	echo "release $(uname -r)"
	echo "arch $(uname -m)"
	echo "cpus_online $(cat /sys/devices/system/cpu/online)"
	echo "cpus_possible $(cat /sys/devices/system/cpu/possible)"
	[ "$jiffies_before" ] && [ "$jiffies_after" ] &&
		echo "$start $stop $jiffies_before $jiffies_after" | awk '{
			hz = ($4 - $3) / ($2 - $1); best = 0
			split("100 250 300 1000", known, " ")
			for (i in known) if (hz > known[i] * 0.95 && hz < known[i] * 1.05) best = known[i]
			if (best) print "hz " best
		}'
	for name in rcu_min_cached_objs rcu_delay_page_cache_fill_msec rcu_normal_wake_from_gp enable_rcu_lazy rcu_expedited jiffies_till_first_fqs; do
		parameter $name
	done
	echo '#@vmstat start'
	echo "$before"
	echo '#@vmstat stop'
	echo "$after"
	n=1 kinds=any
	[ ! "$base" ] || kinds='slab vmalloc'
	[ "$all_calls$counted" ] || kinds= # ended before the first part
	if [ "$paired" ]; then
		for kind in $kinds; do
			echo "#@hist calls single $kind"
			histogram $me/held $n 'two: *0 ' "${here}_calls"
			echo "#@hist calls double $kind"
			histogram $me/held $n 'two: *1 ' "${here}_calls"
			n=$((n + 1))
		done
	else
		for arguments in single double; do
			for kind in $kinds; do
				echo "#@hist calls $arguments $kind"
				histogram $me/held $n '' "${here}_calls"
				n=$((n + 1))
			done
		done
	fi
	if [ "$with_pages" = 1 ]; then
		echo '#@hist requests tried'
		histogram kmem/mm_page_alloc 1
		echo '#@hist requests failed'
		histogram kmem/mm_page_alloc 2
	fi
	for name in $counts; do
		echo "#@hist count $name"
		histogram "$me/$name" 1
	done
	[ "$of_sheaves" ] && printf '#@hist sheaves\n%s\n' "$of_sheaves"
	[ "$of_sizes" ] && printf '#@hist sizes\n%s\n' "$of_sizes"
	echo '#@trace'
	head -c $((most_mib * 1048576)) "$here/trace" | names
	echo
	echo '#@pressure'
	echo "$start $stalled_before"
	echo "$stop $stalled_after"
	echo "#@overhead $ns $percent"
	echo '#@end'
}
if command -v gzip >/dev/null; then
	pack() { gzip -c; }
	ending=txt.gz
else
	pack() { cat; }
	ending=txt
fi
echo 0 >"$here/tracing_on"
name=krcsim-$(date +%Y%m%d-%H%M%S).$ending
{ archive 2>/dev/null | pack >"$folder/.part"; } 2>/dev/null && mv "$folder/.part" "$folder/$name" ||
	fail "the archive cannot be written into $folder (is the disk full?); nothing was left behind"

say "wrote $folder/$name: $((last_calls - first_calls)) calls"
[ "$all_calls" ] || say "calls came so often that they were counted in parts of the time: $slices of about $each hundredths of a second"
[ "$ns" = 0 ] || say "a counted call took $ns ns longer; recording took about $percent % of the CPU time"
exit 0
