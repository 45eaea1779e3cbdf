# What the faults' scripts stand on. POSIX sh; every function may be called again without harm.

note() { printf '%s\n' "$2" >"$STATE/$1"; }
noted() { cat "$STATE/$1" 2>/dev/null; }
fail() { echo "$1" >&2; exit 1; }

# --- the process ------------------------------------------------------------------------------------------------------

main_pid() { systemctl show --property=MainPID --value "$UNIT"; }

# A process's start in clock ticks since boot, or its state; both from the kernel, which no unit file can talk into a lie.
proc_stat() { [ -r "/proc/$1/stat" ] && sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f "$2"; }
proc_state() { proc_stat "$1" 1; }
proc_start() { proc_stat "$1" 20; }

# When systemd came up: changes with each boot, on a machine as in a container.
boot_stamp() { systemctl show --property=UserspaceTimestampMonotonic --value; }

remember() {
    note pid "$(main_pid)"
    note start "$(proc_start "$(noted pid)" || true)"
    note boot "$(boot_stamp)"
}

process_gone() { [ -n "$(noted start)" ] && [ "$(proc_start "$(noted pid)")" != "$(noted start)" ]; }

# --- the unit ---------------------------------------------------------------------------------------------------------

# Settings for a unit that no reboot survives: override UNIT SECTION KEY=VALUE...
override() {
    dropin=/run/systemd/system/$1.d
    section=$2
    unit_name=$1
    shift 2
    mkdir -p "$dropin"
    { echo "[$section]"; printf '%s\n' "$@"; } >"$dropin/crucible-fault.conf"
    systemctl daemon-reload
    echo "$unit_name" >>"$STATE/overridden"
}

restore_units() {
    [ -e "$STATE/overridden" ] || return 0
    while read -r unit_name; do rm -f "/run/systemd/system/$unit_name.d/crucible-fault.conf"; done <"$STATE/overridden"
    systemctl daemon-reload
    rm "$STATE/overridden"
}

# SIGKILL, and systemd does not bring it back: the host looks dead to its peers.
kill_and_hold_down() {
    override "$UNIT.service" Service Restart=no
    systemctl kill --signal=KILL "$UNIT"
}

let_up() {
    restore_units
    systemctl reset-failed "$UNIT" 2>/dev/null || true # Fails where nothing had failed.
    systemctl start "$UNIT"
}

# --- the network ------------------------------------------------------------------------------------------------------

# Chains of our own, first in line, so that established connections are cut too and the firewall's rules stay as they are.
# SSH passes before anything is dropped. Rules come before the jump: the cut happens in one moment.
chain() { echo "CRUCIBLE-FAULT-$1"; }

for_each_table() { for table in iptables ip6tables; do "$@"; done; }

make_chains() { for_each_table make_chains_in; }
make_chains_in() {
    "$table" -w -N "$(chain INPUT)"
    "$table" -w -A "$(chain INPUT)" -p tcp --dport "$SSH_PORT" -j RETURN
    "$table" -w -N "$(chain OUTPUT)"
    "$table" -w -A "$(chain OUTPUT)" -p tcp --sport "$SSH_PORT" -j RETURN
}

# rule INPUT|OUTPUT ADDRESS ARGUMENTS...: the address says which of the two tables it is for; an empty one means both.
rule() {
    hook=$1 address=$2
    shift 2
    case $hook in INPUT) side=-s ;; OUTPUT) side=-d ;; esac
    case $address in
    '') for_each_table rule_in "$@" ;;
    *:*) table=ip6tables rule_in "$side" "$address" "$@" ;;
    *) table=iptables rule_in "$side" "$address" "$@" ;;
    esac
}
rule_in() { "$table" -w -A "$(chain "$hook")" "$@"; }

engage_chains() { for_each_table engage_chains_in; }
engage_chains_in() { for hook in INPUT OUTPUT; do "$table" -w -I "$hook" 1 -j "$(chain "$hook")"; done; }

remove_chains() { for_each_table remove_chains_in; }
remove_chains_in() {
    for hook in INPUT OUTPUT; do
        "$table" -w -n -L "$(chain "$hook")" >/dev/null 2>&1 || continue
        ! "$table" -w -C "$hook" -j "$(chain "$hook")" 2>/dev/null || "$table" -w -D "$hook" -j "$(chain "$hook")"
        "$table" -w -F "$(chain "$hook")"
        "$table" -w -X "$(chain "$hook")"
    done
}

# Packets that the kernel counted at our DROP rules of one hook.
dropped() {
    for_each_table dropped_in "$1" | awk '$3 == "DROP" { packets += $1 } END { print packets + 0 }'
}
dropped_in() { "$table" -w -n -v -x -L "$(chain "$1")" 2>/dev/null || true; }

cut_off() {
    make_chains
    "$@"
    engage_chains
}

# --- the disk ---------------------------------------------------------------------------------------------------------

first_data_dir() { echo "${DATA_DIRS%% *}"; }
data_mount() { findmnt --noheadings --output=TARGET --target="$(first_data_dir)"; }
free_bytes() { df --output=avail --block-size=1 "$1" | tail -n 1; }

# Where the batch in the middle of a segment begins, and its bytes (KIP-98: base offset 8, batch length 4, …).
middle_batch() {
    python3 - "$1" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
batches, at = [], 0
while at + 12 <= len(data) and (length := struct.unpack_from(">i", data, at + 8)[0]) > 49:
    batches.append((at, 12 + length))
    at += 12 + length
print(*batches[len(batches) // 2])
PYTHON
}

# A byte well inside its records: past the 61 bytes of the header, so that nothing but the checksum can tell.
middle_of_a_batch() { middle_batch "$1" | { read -r at size && echo "$((at + 61 + (size - 61) / 2))"; }; }

byte_at() { od --address-radix=n --format=u1 --skip-bytes="$2" --read-bytes=1 "$1" | tr -d ' '; }
put_byte() { printf "\\$(printf %o "$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc,fsync status=none; }
