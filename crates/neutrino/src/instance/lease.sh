#!/bin/sh
# Sets what DHCP gave (busybox udhcpc). ETC: where resolv.conf goes; LEASE: the file that says what was got.
# EACH: run `ip` for each line, where it cannot take them all at once (busybox's).
# Option 121 replaces the router (RFC 3442); a gateway of 0.0.0.0 means that the destination is on the link.
DHCP=16 # the protocol number of routes from DHCP; busybox knows no names of them
wanted() {
    [ -n "$mtu" ] && echo "link set dev $interface mtu $mtu"
    # Former routes go. Busybox flushes all of a link whatever their protocol, so there they go with the address.
    if [ -n "$EACH" ]; then
        echo "addr flush dev $interface"
    else
        echo "route flush dev $interface proto $DHCP"
    fi
    echo "addr replace $ip/$mask dev $interface ${broadcast:+broadcast $broadcast}"
    if [ -n "$staticroutes" ]; then set -- $staticroutes
    elif [ -n "$router" ]; then set -- 0.0.0.0/0 "${router%% *}"
    else set --
    fi
    while [ $# -ge 2 ]; do
        case "$2" in
        0.0.0.0) echo "route replace $1 dev $interface proto $DHCP scope link" ;;
        *) echo "route replace $1 via $2 dev $interface proto $DHCP onlink" ;;
        esac
        shift 2
    done
}
apply() {
    if [ -n "$EACH" ]; then
        while read -r words; do ip -4 $words; done
    else
        ip -4 -force -batch -
    fi
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
    wanted | apply
    if [ -n "$dns" ]; then
        mkdir -p "$ETC"
        resolver > "$ETC/resolv.conf"
    fi
    echo "$ip/$mask from $serverid for $lease s" > "$LEASE"
    ;;
esac
