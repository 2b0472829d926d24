#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rgw_server.sh FOLDER: an S3 server that knows conditional writes, for the tests: Ceph's object gateway over one
# monitor and one store in memory. Prints "PORT N" when it answers and ends with its standard input. The
# access key is "key", the secret "secret", the bucket "bucket".
set -euo pipefail
exec 4>&2  # what stays of it where the steps below write into a file
folder=$1
mkdir -p "$folder/mon" "$folder/osd" "$folder/run"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
monitor=$(free_port)
port=$(free_port)
fsid=$(cat /proc/sys/kernel/random/uuid)
export CEPH_CONF="$folder/ceph.conf"
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$monitor]
mon initial members = a
keyring = $folder/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
run dir = $folder/run
admin socket = $folder/run/\$name.\$pid.asok
pid file = $folder/run/\$name.pid
log file = $folder/run/\$name.log
mon data = $folder/mon
mon data avail crit = 0
osd data = $folder/osd
osd objectstore = memstore
memstore device bytes = 1073741824
CONF
# What failed, for whoever reads the test's output.
stop() {
    local code=$?
    ((code == 0)) || tail -n 5 "$folder/out" >&4
    for name in client.admin osd.0 mon.a; do
        [[ ! -f $folder/run/$name.pid ]] || kill -KILL "$(cat "$folder/run/$name.pid")" 2>/dev/null || true
    done
}
trap stop EXIT
{
    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor]" "$folder/monmap"
    ceph-authtool --create-keyring "$folder/keyring" --gen-key -n mon. --cap mon 'allow *'
    ceph-authtool "$folder/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *'
    ceph-authtool "$folder/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
    ceph-mon --mkfs -i a --monmap "$folder/monmap" --keyring "$folder/keyring"
    ceph-mon -i a
    uuid=$(cat /proc/sys/kernel/random/uuid)
    timeout 60 ceph osd new "$uuid" 0
    timeout 60 ceph auth import -i "$folder/keyring"
    ceph-osd -i 0 --mkfs --osd-uuid "$uuid"
    ceph-osd -i 0
    timeout 60 ceph osd crush add osd.0 1 host=here root=default
    timeout 120 radosgw-admin user create --uid tester --display-name tester --access-key key --secret-key secret
    radosgw -n client.admin --rgw-frontends "beast endpoint=127.0.0.1:$port" --rgw-enable-apis s3 \
        --pid-file "$folder/run/client.admin.pid"
} </dev/null >"$folder/out" 2>&1
for ((i = 0; i < 600; i++)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        echo "PORT $port"
        cat >/dev/null
        exit 0
    fi
    sleep 0.1
done
false  # it never listened
