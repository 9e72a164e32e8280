#!/bin/sh
# Sets what DHCP gave (busybox udhcpc). ETC: where resolv.conf goes; LEASE: the file that says what was got.
# Option 121 replaces the router (RFC 3442); a gateway of 0.0.0.0 means that the destination is on the link.
wanted() {
    [ -n "$mtu" ] && echo "link set dev $interface mtu $mtu"
    echo "addr replace $ip/$mask dev $interface ${broadcast:+broadcast $broadcast}"
    echo "route flush dev $interface proto dhcp"
    if [ -n "$staticroutes" ]; then set -- $staticroutes
    elif [ -n "$router" ]; then set -- 0.0.0.0/0 "${router%% *}"
    else set --
    fi
    while [ $# -ge 2 ]; do
        case "$2" in
        0.0.0.0) echo "route replace $1 dev $interface proto dhcp scope link" ;;
        *) echo "route replace $1 via $2 dev $interface proto dhcp onlink" ;;
        esac
        shift 2
    done
}
resolver() {
    [ -n "${search:-$domain}" ] && echo "search ${search:-$domain}"
    for server in $dns; do echo "nameserver $server"; done
}
case "$1" in
deconfig)
    ip -4 addr flush dev "$interface"
    ;;
bound | renew)
    wanted | ip -4 -force -batch -
    if [ -n "$dns" ]; then
        mkdir -p "$ETC"
        resolver > "$ETC/resolv.conf"
    fi
    echo "$ip/$mask from $serverid for $lease s" > "$LEASE"
    ;;
esac
