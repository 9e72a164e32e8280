#!/bin/sh
# Sets what DHCPv6 gave (ISC dhclient). ETC: where resolv.conf goes.
case "$reason" in
PREINIT6)
    # Requests come from the link-local address, which is free to use once it is no longer tentative.
    looks=0
    while [ -n "$(ip -6 -o addr show dev "$interface" scope link tentative)" ] && [ $looks -lt 100 ]; do
        looks=$((looks + 1))
        sleep 0.05
    done
    ;;
BOUND6 | RENEW6 | REBIND6 | REBOOT6)
    if [ -n "$old_ip6_address" ] && [ "$old_ip6_address" != "$new_ip6_address" ]; then
        ip -6 addr del "$old_ip6_address/128" dev "$interface"
    fi
    ip -6 addr replace "$new_ip6_address/128" dev "$interface" valid_lft "$new_max_life" preferred_lft "$new_preferred_life"
    if [ -n "$new_dhcp6_name_servers" ] && [ ! -e "$ETC/resolv.conf" ]; then
        mkdir -p "$ETC"
        for server in $new_dhcp6_name_servers; do echo "nameserver $server"; done > "$ETC/resolv.conf"
    fi
    ;;
EXPIRE6 | RELEASE6 | STOP6)
    ip -6 addr del "$old_ip6_address/128" dev "$interface"
    ;;
esac
