#!/bin/sh
# setmac.sh DEVICE: give the interface of a card the MAC that its Neutron port has (IBM Z, DPM mode).
# DEVICE is a path, as udev gives it, /devices/qeth/0.0.0001/net/enc1, or a bus id, 0.0.0001.
set -fu
# shellcheck source=dpm_guest_image_tools_common
. "${0%/*}/dpm_guest_image_tools_common"

# udev throws away what is printed, so it goes to syslog; people see it too.
log() {
    echo "${0##*/}: $*" >&2
    ! logger=$(program logger 2>/dev/null) || "$logger" -t "${0##*/}" -- "$*"
}

fail() {
    log "$*"
    exit 1
}

# find_device DEVICE: sets devno, and name if the path has it.
find_device() {
    name=
    lower=$(printf %s "$1" | sed y/ABCDEF/abcdef/)
    # shellcheck disable=SC2254  # these are patterns
    case $lower in
        */qeth/0.0.$DEVNO/net/?* | qeth/0.0.$DEVNO/net/?*)
            name=${1##*/net/} devno=${lower##*qeth/0.0.} devno=${devno%%/*} ;;
        0.0.$DEVNO) devno=${lower#0.0.} ;;
        $DEVNO) devno=$lower ;;
        *) return 1 ;;
    esac
    case $name in *[[:space:]/]*) return 1 ;; esac
    [ ${#name} -le 15 ]
}

# find_name: the interface of devno.
find_name() {
    set +f
    for path in "$ROOT_DIR/sys/bus/ccwgroup/devices/0.0.$devno/net"/*; do
        [ ! -e "$path" ] || name=${path##*/}
        break
    done
    set -f
    [ -n "$name" ]
}

# find_card: sets vlan and mac of devno.
find_card() {
    for item in $(learnt | items | tr ' ' _); do
        if [ "${item%%_*}" = "$devno" ]; then
            mac=${item##*_} vlan=${item%_*} vlan=${vlan##*_}
            return
        fi
    done
    return 1
}

set_mac() {
    address=$ROOT_DIR/sys/class/net/$name/address
    if [ -r "$address" ] && [ "$(cat "$address")" = "$mac" ]; then
        log "$name has MAC $mac already"
    else
        case $mac in
            ?[26ae]*) ;;
            *) fail "$mac of 0.0.$devno is no local unicast address" ;;
        esac
        "$ip" link set "$name" address "$mac" || fail "ip cannot give $name the MAC $mac"
        log "$name has MAC $mac now"
    fi
    [ "$vlan" != - ] || return 0
    tagged=$name.$vlan
    [ ! -e "$ROOT_DIR/sys/class/net/$tagged" ] || return 0
    [ ${#tagged} -le 15 ] || fail "$tagged is too long for an interface's name"
    "$ip" link add link "$name" name "$tagged" type vlan id "$vlan" || fail "ip cannot make $tagged"
}

[ $# = 1 ] || fail "usage: ${0##*/} DEVICE"
find_device "$1" || fail "'$1' is neither a qeth device path nor a device bus id such as 0.0.0001"
find_card || fail "nothing is told of 0.0.$devno, neither by the cloud nor at the start"
if [ "$mac" = - ]; then
    log "No MAC is told of 0.0.$devno; it keeps its own"
    exit 0
fi
mac=$(echo "$mac" | sed 's/../&:/g; s/:$//')
[ -n "$name" ] || find_name || fail "0.0.$devno has no interface: is it online?"
ip=$(program ip) || fail "ip is not installed"
locked "mac-0.0.$devno" set_mac
