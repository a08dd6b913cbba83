# Mixed traffic between the router and its switch, untagged and on VLAN 956. Started in the background; stop_traffic ends it.

traffic=()

start_traffic() {
    local address
    for address in 10.0.80.11 172.20.18.143; do
        ping -i 0.5 "$address" > /dev/null 2>&1 &
        traffic+=($!)
        talk_tcp "$address" > /dev/null 2>&1 &
        traffic+=($!)
    done
    # frames of many kinds that can be checked byte by byte
    for address in bond0 bond0.956; do
        /guest/linkprobe-traffic --interface "$address" --mix --rate 200 --duration 1h > /dev/null 2>&1 &
        traffic+=($!)
    done
}

# A TCP connection with a few words a second to a listener in the switch.
talk_tcp() {
    local address=$1 n
    in_switch nc -l -s "$address" -p 1434 > /dev/null &
    traffic+=($!)
    sleep 0.5
    # no `break`: while the bond is down the words wait in the socket
    for n in $(seq 100000); do echo "word $n"; sleep 0.3; done > "/dev/tcp/$address/1434"
}

stop_traffic() {
    kill "${traffic[@]}" 2> /dev/null
    traffic=()
}
