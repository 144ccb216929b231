#!/bin/sh
# Bring up the network cards that the kernel's command line names (IBM Z, DPM mode).
set -fu
# shellcheck source=dpm_guest_image_tools_common
. "${0%/*}/dpm_guest_image_tools_common"

log() {
    echo "${0##*/}: $*"
}

# bring_up BUS_ID PORT. The lock is not setmac's: chzdev waits for udev, and udev for setmac.
bring_up() {
    if [ -e "$ROOT_DIR/sys/bus/ccwgroup/devices/$1" ]; then
        log "Interface for $1 already configured. Skipping."
        return 0
    fi
    log "Configuring dev_bus_id $1 with port $2"
    if chzdev=$(program chzdev 2>/dev/null); then
        "$chzdev" -e -a -y qeth "$1" layer2=1 portno="$2"
    elif znetconf=$(program znetconf); then
        "$znetconf" -a "$1" -o portno="$2" -o layer2=1
    else
        return 1
    fi
}

main() {
    log Start
    if [ ! -e "$ROOT_DIR/sys/bus/ccwgroup" ]; then
        modprobe=$(program modprobe) && "$modprobe" ccwgroup || return 1
    fi
    rc=0
    # Not a pipe: rc must be this shell's.
    for item in $(items <"$ROOT_DIR/proc/cmdline" | tr ' ' :); do
        devno=${item%%:*} port=${item#*:} port=${port%%:*}
        locked "up-0.0.$devno" bring_up "0.0.$devno" "$port" || rc=1
    done
    log "Finished with rc '$rc'"
    return "$rc"
}

main
