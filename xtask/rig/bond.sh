# A router's bond and its switch, for the rig: two veth pairs, the far ends in the namespace `sw`, 802.3ad on both sides.
#
#   here: bond0 over eth1, eth2       10.0.80.10/24, VLAN 956: 172.20.18.40/24
#   sw:   bond0 over port1, port2     10.0.80.11/24, VLAN 956: 172.20.18.143/24

in_switch() { ip netns exec sw "$@"; }

# The restored guests of one saved state must not share their MACs with each other: all are set.
make_links() {
    local n
    ip netns add sw
    in_switch ip link set lo up
    for n in 1 2; do
        ip link add "eth$n" address "02:00:00:00:01:0$n" type veth peer name "port$n" netns sw address "02:00:00:00:02:0$n"
    done
}

# make_bond IP-COMMAND SLAVE SLAVE: the slaves must be down when they are enslaved
make_bond() {
    local ip=$1 slave; shift
    $ip link add bond0 type bond mode 802.3ad lacp_rate fast miimon 100 xmit_hash_policy layer3+4
    for slave; do
        $ip link set "$slave" down
        $ip link set "$slave" master bond0
    done
    $ip link set bond0 up
}

make_addresses() {
    local ip=$1 plain=$2 tagged=$3
    $ip addr add "$plain" dev bond0
    $ip link add link bond0 name bond0.956 type vlan id 956
    $ip addr add "$tagged" dev bond0.956
    $ip link set bond0.956 up
}

make_router_and_switch() {
    make_links
    make_bond ip eth1 eth2
    make_bond 'ip -n sw' port1 port2
    make_addresses ip 10.0.80.10/24 172.20.18.40/24
    make_addresses 'ip -n sw' 10.0.80.11/24 172.20.18.143/24
}

# Port state 63: active, short timeout, aggregatable, in sync, collecting, distributing.
port_states() {
    ip -d link show "$1" | grep -oE 'ad_(actor|partner)_oper_port_state [0-9]+' | cut -d' ' -f2 | sort -u | tr '\n' ' '
}

wait_for_lacp() {
    local try
    for try in $(seq 100); do
        [ "$(port_states eth1)" = '63 ' ] && [ "$(port_states eth2)" = '63 ' ] && return 0
        sleep 0.2
    done
    echo "LACP did not converge: eth1 $(port_states eth1), eth2 $(port_states eth2)" >&2
    return 1
}

# break_bond FAULT
break_bond() {
    local n
    case $1 in
        carrier-both) in_switch ip link set port1 down; in_switch ip link set port2 down ;;
        carrier-one) in_switch ip link set port1 down ;;
        admin-down) ip link set bond0 down ;;
        slave-removed) ip link set eth1 nomaster; ip link set eth2 nomaster ;;
        flapping)
            for n in $(seq 20); do
                in_switch ip link set port1 down; in_switch ip link set port1 up
            done ;;
        *) echo "no fault $1" >&2; return 2 ;;
    esac
}
