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
set -u
LC_ALL=C
export LC_ALL
seconds=@SECONDS@
most_mib=@MIB@
folder=@FOLDER@
keep_names=@KEEP@

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
	if [ -d "$tracing/instances/$1" ]; then
		for trigger in "$tracing/instances/$1/events/$1"/*/trigger "$tracing/instances/$1/events/kmem/mm_page_alloc/trigger"; do
			[ -e "$trigger" ] && : >"$trigger"
		done
		echo 0 >"$tracing/instances/$1/events/enable"
		rmdir "$tracing/instances/$1"
	fi 2>/dev/null
	grep -o ":$1/[A-Za-z0-9_]*" $kprobes | while read -r probe; do
		echo "-$probe" >>$kprobes
	done
	[ ! -d "$tracing/instances/$1" ] && ! grep -q ":$1/" $kprobes
}

# A recorder that runs holds a file open by which it is known; a PID alone may be somebody else by now.
runs() { case $(readlink "/proc/$1/fd/9" 2>/dev/null) in */krcsim-recorder-runs*) return 0 ;; *) return 1 ;; esac; }

for tag in $({ ls $tracing/instances; grep -o 'krcsim_[0-9]*' $kprobes; } 2>/dev/null | grep '^krcsim_[0-9]*$' | sort -u); do
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

mkdir "$here" || fail "tracefs gives no instance of its own (is the kernel locked down?)"
echo boot >"$here/trace_clock" || fail "this kernel has no trace clock boot"

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
rows=2048
while [ $rows -lt $((wanted * 100 * cpus * 5 / 4)) ] && [ $rows -lt 131072 ]; do rows=$((rows * 2)); done
few=2048
while [ $few -lt $((wanted * 400)) ] && [ $few -lt 131072 ]; do few=$((few * 2)); done
runs=2048 # a row for each 0.1 s, in which something ran
while [ $runs -lt $((wanted * 15)) ]; do runs=$((runs * 2)); done
echo $((most_mib * 512 / cpus + 64)) >"$here/buffer_size_kb"

by_time=common_timestamp.buckets=10000000
count_calls() { # EVENT: a histogram for each kind of call
	if [ "$base" ]; then
		trigger "$1" "hist:keys=$by_time,cpu:clock=boot:size=$rows if head == 0 && arg < $base" &&
			trigger "$1" "hist:keys=$by_time,cpu:clock=boot:size=$rows if head == 0 && arg >= $base" &&
			trigger "$1" "hist:keys=$by_time,cpu:clock=boot:size=$rows if head != 0 && head < $base" &&
			trigger "$1" "hist:keys=$by_time,cpu:clock=boot:size=$rows if head != 0 && head >= $base"
	else
		trigger "$1" "hist:keys=$by_time,cpu:clock=boot:size=$rows if head == 0" &&
			trigger "$1" "hist:keys=$by_time,cpu:clock=boot:size=$rows if head != 0"
	fi
}

# ---- what a probe costs here: one byte at a time into /dev/null, without one and with one
calls=200000
spent() { # seconds of CPU time of all children so far, into $spent; a subshell would have other children
	times >"$folder/.times"
	spent=$(awk 'NR == 2 {gsub(/[ms]/, " "); split($0, t, " "); print t[1] * 60 + t[2] + t[3] * 60 + t[4]}' "$folder/.times")
}
bytes() { dd if=/dev/zero of=/dev/null bs=1 count=$calls 2>/dev/null; }
cost_ns=
if probe p cost 'vfs_write head=$arg1:x64 arg=$arg2:x64'; then
	bytes # once for nothing, so that both find the same caches
	spent
	all=$spent
	bytes
	spent
	all="$all $spent"
	count_calls $me/cost && bytes
	spent
	cost_ns=$(echo "$all $spent" | awk -v n=$calls '{d = ($3 - $2) - ($2 - $1); printf "%d", (d > 0.01 ? d : 0.01) * 1e9 / n}')
	: >"$here/events/$me/cost/trigger"
	echo "-:$me/cost" >>$kprobes
fi
[ "$stopped" ] && fail "stopped before anything was recorded"

# ---- on
armed="calls reclaims"
probe p kvf 'kvfree_call_rcu head=$arg1:x64 arg=$arg2:x64' ||
	fail "kvfree_call_rcu() cannot be probed: a kernel before v5.9, or one that is locked down"
count_calls $me/kvf || fail "this kernel has no histograms by time (before v5.14); give trace_pipe to krcsim read instead"

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
		trigger "$me/${pair%%:*}" "hist:keys=common_timestamp.buckets=100000000:clock=boot:size=$runs" && counts="$counts ${pair%%:*}"
done
if probe r sheaf '__kfree_rcu_sheaf ok=$retval:u8'; then
	trigger $me/sheaf 'hist:keys=ok' && armed="$armed sheaves"
fi
if probe p size '__kfree_rcu_sheaf size=s->object_size:u32'; then
	trigger $me/size 'hist:keys=size' && armed="$armed sizes"
fi

pages='order == 0 && (!(gfp_flags & 0x400) || gfp_flags & 0x10000)'
trigger kmem/mm_page_alloc "hist:keys=$by_time,gfp_flags:clock=boot:size=$few if $pages" &&
	trigger kmem/mm_page_alloc "hist:keys=$by_time,gfp_flags:clock=boot:size=$few if $pages && pfn == 0xffffffffffffffff" &&
	armed="$armed page noretry"
for event in mm_vmscan_direct_reclaim_begin mm_vmscan_direct_reclaim_end mm_vmscan_kswapd_wake mm_vmscan_kswapd_sleep; do
	enable vmscan/$event
done

pressure() { grep -E '^(allocstall|pgscan_(direct|kswapd)|pgsteal_(direct|kswapd)|oom_kill)' /proc/vmstat; }
jiffies() { sed -n 's/^jiffies: *//p' /proc/timer_list 2>/dev/null | head -n 1; }

say "recording for $wanted s; Ctrl-C ends it early"
before=$(pressure)
jiffies_before=$(jiffies)
stalled_before=$(head -n 1 /proc/pressure/memory 2>/dev/null)
start=$(uptime_now)
# Nothing is done meanwhile: processes that begin and end make calls of kfree_rcu() themselves.
sleep "$wanted" &
sleeper=$!
[ "$stopped" ] || wait $sleeper
stop=$(uptime_now)
kill $sleeper 2>/dev/null
stalled_after=$(head -n 1 /proc/pressure/memory 2>/dev/null)
jiffies_after=$(jiffies)
after=$(pressure)

# ---- the archive
parameter() {
	for file in /sys/module/rcutree/parameters/$1 /sys/module/slab_common/parameters/$1; do
		[ -r "$file" ] && echo "$1 $(cat "$file")" && return
	done
}
histogram() { # EVENT NUMBER: the one of that number among the histograms of an event
	# Its comments repeat the filters, and with them the address where vmalloc() begins.
	awk -v wanted="$2" '/^# event histogram/ {n++} n == wanted && !/^#/' "$here/events/$1/hist"
}
if [ $keep_names = 1 ]; then
	names() { cat; }
else
	names() { sed 's/^[^#].*-\([0-9][0-9]*\)  *\(([ 0-9-]*) *\)\{0,1\}\[\([0-9][0-9]*\)\] /x-\1 [\3] /'; }
fi
archive() {
	echo '#@krcsim-recording 1'
	echo "#@armed $armed"
	echo "#@span $start $stop"
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
	if [ "$base" ]; then
		n=1
		for kind in 'single slab' 'single vmalloc' 'double slab' 'double vmalloc'; do
			echo "#@hist calls $kind"
			histogram $me/kvf $n
			n=$((n + 1))
		done
	else
		echo '#@hist calls single any'
		histogram $me/kvf 1
		echo '#@hist calls double any'
		histogram $me/kvf 2
	fi
	echo '#@hist requests tried'
	histogram kmem/mm_page_alloc 1
	echo '#@hist requests failed'
	histogram kmem/mm_page_alloc 2
	for name in $counts; do
		echo "#@hist count $name"
		histogram "$me/$name" 1
	done
	[ -d "$here/events/$me/sheaf" ] && echo '#@hist sheaves' && histogram $me/sheaf 1
	[ -d "$here/events/$me/size" ] && echo '#@hist sizes' && histogram $me/size 1
	echo '#@trace'
	head -c $((most_mib * 1048576)) "$here/trace" | names
	echo
	echo '#@pressure'
	echo "$start $stalled_before"
	echo "$stop $stalled_after"
	echo "#@overhead ${cost_ns:-0}"
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

hits=$(cat "$here/events/$me/kvf/hist" | awk '/^    Hits:/ {n += $2} END {printf "%d", n}')
say "wrote $folder/$name: $hits calls"
[ "$cost_ns" ] && echo "$hits $cost_ns $start $stop $cpus" |
	awk '{printf "krcsim-record: a probed call took %d ns longer, %.2g %% of the CPU time\n", $2, $1 * $2 / (($4 - $3) * $5 * 1e9) * 100}' >&2
exit 0
