#!/usr/bin/env bash
# A Slurm of one node on this machine, for tests: no systemd, no cgroups, no database, nothing open to the network.
#
#     slurm.sh install          Debian's packages; needs root
#     slurm.sh start FOLDER     all it makes lies in FOLDER, a new one that others may enter
#     slurm.sh stop FOLDER      ends the jobs, then the daemons by their recorded numbers; safe to call at any time
#
# CPUS, GPUS and MEMORY (MB) may be more than the machine has: Slurm is told not to look.
set -euo pipefail
packages=(slurmctld slurmd slurm-client munge)
daemons=(slurmd slurmctld munged)

installed() { dpkg -s "${packages[@]}" >/dev/null 2>&1; }

# A cluster of someone else's is left alone.
check_machine() {
    [ "$(id -u)" = 0 ] || { echo "only root can start a Slurm" >&2; exit 1; }
    if [ -e /etc/slurm/slurm.conf ] && [ ! -L /etc/slurm/slurm.conf ]; then
        echo "this machine has a Slurm of its own (/etc/slurm/slurm.conf)" >&2
        exit 1
    fi
}

install() {
    check_machine
    if installed; then return; fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
}

# wait_for SECONDS COMMAND...
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "timed out: $* (logs: $folder/log)" >&2; return 1; }
        sleep 0.1
    done
}

write_configuration() {
    local host
    host=$(hostname -s)
    cat >"$folder/etc/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
SlurmctldPort=26817
SlurmdPort=26818
SrunPortRange=27000-27100
# only 127.0.0.1
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$folder/slurmctld
SlurmdSpoolDir=$folder/slurmd
SlurmctldPidFile=$folder/pid/slurmctld
SlurmdPidFile=$folder/pid/slurmd
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd
# no systemd and no cgroups: processes are found and measured through /proc
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill,NoShared
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
# squeue must remember finished jobs until Snakemake has asked
MinJobAge=7200
GresTypes=gpu
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 CPUs=$cpus Sockets=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory Gres=gpu:$gpus State=UNKNOWN
PartitionName=all Nodes=n1 Default=YES MaxTime=INFINITE DefMemPerCPU=100 State=UP
CONF
    cat >"$folder/etc/gres.conf" <<CONF
AutoDetect=off
NodeName=n1 Name=gpu File=$folder/gpu/[0-$((gpus - 1))] Flags=nvidia_gpu_env
CONF
}

# A GPU must be a character device, or no job is told which one is its own; these are copies of /dev/null.
make_gpus() {
    for ((number = 0; number < gpus; number++)); do mknod "$folder/gpu/$number" c 1 3; done
}

# The plugin's inner srun starts without SLURM_CONF, so the configuration must also lie where Slurm looks by itself.
link_configuration() {
    mkdir -p /etc/slurm
    ln -sfn "$SLURM_CONF" /etc/slurm/slurm.conf
}

start() {
    check_machine
    if [ -e /etc/slurm/slurm.conf ]; then
        echo "one is left from before: $0 stop $(dirname "$(dirname "$(readlink /etc/slurm/slurm.conf)")")" >&2
        exit 1
    fi
    mkdir -p "$folder"/{etc,log,pid,slurmctld,slurmd,munge,gpu}
    chmod 711 "$folder/munge"
    (umask 077 && head -c 128 /dev/urandom >"$folder/munge/key")
    munged --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/pid/munged" \
        --log-file="$folder/log/munged" --seed-file="$folder/munge/seed" --num-threads=2
    make_gpus
    write_configuration
    link_configuration
    slurmctld -f "$SLURM_CONF"
    wait_for 30 scontrol ping
    slurmd -f "$SLURM_CONF" -N n1
    wait_for 30 sh -c "sinfo -h -N -n n1 -o %T | grep -qx idle"
    sinfo -N -o "%N %T %c CPUs, %m MB, %G"
}

# is_alive NAME: the recorded process is there and is still that daemon.
is_alive() {
    local number
    number=$(cat "$folder/pid/$1" 2>/dev/null) && [ "$(cat "/proc/$number/comm" 2>/dev/null)" = "$1" ]
}

stop() {
    # Jobs outlive slurmd, so they go first.
    if is_alive slurmctld; then
        timeout 10 scancel --full --user="$(id -un)" || true
        wait_for 15 sh -c "[ -z \"\$(timeout 5 squeue -h)\" ]" || true
    fi
    for name in "${daemons[@]}"; do
        if is_alive "$name"; then
            kill "$(cat "$folder/pid/$name")"
            wait_for 20 eval "! is_alive $name" || true
        fi
        if is_alive "$name"; then kill -9 "$(cat "$folder/pid/$name")"; fi
        rm -f "$folder/pid/$name"
    done
    if [ "$(readlink /etc/slurm/slurm.conf)" = "$SLURM_CONF" ]; then rm /etc/slurm/slurm.conf; fi
}

cpus=${CPUS:-$(nproc)}
gpus=${GPUS:-2}
memory=${MEMORY:-100000}
case "${1:-}" in
install) install ;;
start | stop)
    folder=${2:?"usage: $0 $1 FOLDER"}
    export SLURM_CONF=$folder/etc/slurm.conf
    "$1"
    ;;
*)
    echo "usage: $0 install | start FOLDER | stop FOLDER" >&2
    exit 2
    ;;
esac
