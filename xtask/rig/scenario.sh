# `cargo xtask run` in the guest: a bond with traffic, the agent, a fault, and the incident as its user sees it.
# From the host: FAULT, CALM (seconds before the fault), LEVEL (RUST_LOG). Leaves what the host shall have in /out.

. /guest/bond.sh
. /guest/traffic.sh

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -n "$PLAIN" ] && say() { printf '\n== %s\n' "$*"; }

incidents=/out/incidents
run_dir=/run/linkprobe
mkdir -p "$incidents" "$run_dir"

say "a bond over eth1 and eth2, against a partner bond in another namespace (kernel $(uname -r))"
make_router_and_switch
wait_for_lacp || exit 1
echo "bond0 is up; LACP port states: eth1 $(port_states eth1)eth2 $(port_states eth2)"
start_traffic

say "linkprobe run --bond bond0 --after 5s"
/guest/linkprobe run --bond bond0 --after 5s --incidents "$incidents" > /out/agent.log 2>&1 &
agent=$!

# finished incidents only: they appear whole, under their own names
finished() { ls -d "$incidents"/[!.]*/ 2> /dev/null | while read -r dir; do [ -e "${dir}report.txt" ] && echo "$dir"; done; }

alive() { kill -0 "$agent" 2> /dev/null; }

give_up() {
    say "$1; the agent said:"
    cat /out/agent.log
    stop_traffic
    kill "$agent" 2> /dev/null
    exit 1
}

for try in $(seq 100); do
    grep -q 'linkprobe: recording' /out/agent.log && break
    alive || give_up 'the agent ended'
    sleep 0.2
done
cat /out/agent.log
sleep "$CALM"
alive || give_up 'the agent ended'

say "the fault: $FAULT"
date '+at %H:%M:%S'
break_bond "$FAULT"

for try in $(seq 200); do
    [ -n "$(finished)" ] && break
    alive || give_up 'the agent ended'
    sleep 0.2
done
[ -n "$(finished)" ] || give_up 'no incident after 40 s'

/guest/linkprobe status > /out/status.txt 2>&1
stop_traffic
# not SIGINT, which a shell lets its background processes ignore
kill -TERM "$agent"
wait "$agent"
code=$?
[ "$code" = 0 ] || { echo "the agent ended with $code:"; cat /out/agent.log; }

finished | while read -r dir; do
    say "the incident: report.txt"
    cat "${dir}report.txt"
    ls -l "$dir"
done
