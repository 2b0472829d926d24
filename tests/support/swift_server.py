# SPDX-License-Identifier: Apache-2.0
"""A real S3 server for the tests: OpenStack Swift with its s3api, all four of its services in one
process, on free ports of 127.0.0.1, data below the folder given.

    swift_server.py FOLDER

Prints "PORT n" when it answers and has a bucket, "bucket"; the access key is test:tester, the secret
key testing. Ends when its standard input does.
"""
import os
import sys

import eventlet

eventlet.monkey_patch()

import datetime  # noqa: E402
import hashlib  # noqa: E402
import hmac  # noqa: E402
import http.client  # noqa: E402
import logging  # noqa: E402

from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402

SERVICES = {"account": "account", "container": "container", "object": "object"}
COMMON = """[DEFAULT]
swift_dir = {folder}
devices = {folder}/disks
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
user = root
log_level = ERROR
fallocate_reserve = 0
"""
BACK = "[pipeline:main]\npipeline = {name}-server\n[app:{name}-server]\nuse = egg:swift#{name}\n"
PROXY = """[pipeline:main]
pipeline = catch_errors cache s3api tempauth copy slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
check_bucket_owner = false
allow_multipart_uploads = true
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def make_ring(folder, name, port):
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port,
                     "replication_ip": "127.0.0.1", "replication_port": port, "device": "one",
                     "weight": 1.0, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, name + ".ring.gz"))


def serve(listener, app):
    quiet = logging.getLogger("quiet")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    eventlet.spawn(wsgi.server, listener, app, log=quiet, debug=False, keepalive=True)


def make_bucket(port):
    """PUT /bucket, signed with AWS Signature Version 4."""
    now = datetime.datetime.utcnow()
    day, time = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    host, nothing = f"127.0.0.1:{port}", hashlib.sha256(b"").hexdigest()
    names = "host;x-amz-content-sha256;x-amz-date"
    asked = (f"PUT\n/bucket\n\nhost:{host}\nx-amz-content-sha256:{nothing}\nx-amz-date:{time}\n\n"
             f"{names}\n{nothing}")
    scope = f"{day}/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    key = b"AWS4testing"
    for part in (day, "us-east-1", "s3", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("PUT", "/bucket", headers={
        "x-amz-content-sha256": nothing, "x-amz-date": time,
        "Authorization": f"AWS4-HMAC-SHA256 Credential=test:tester/{scope}, SignedHeaders={names}, "
                         f"Signature={key.hex()}"})
    status = connection.getresponse().status
    if status != 200:
        sys.exit(f"the bucket cannot be made: {status}")


def main():
    folder = sys.argv[1]
    os.makedirs(os.path.join(folder, "disks", "one"))
    write(os.path.join(folder, "swift.conf"),
          "[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n")
    utils.set_swift_dir(folder)
    listeners = {name: eventlet.listen(("127.0.0.1", 0)) for name in [*SERVICES, "proxy"]}
    for name in SERVICES:
        make_ring(folder, name, listeners[name].getsockname()[1])
    for name, listener in listeners.items():
        port = listener.getsockname()[1]
        path = os.path.join(folder, name + "-server.conf")
        text = PROXY if name == "proxy" else BACK.format(name=name)
        write(path, COMMON.format(folder=folder, port=port) + text)
        serve(listener, loadapp(path))
    port = listeners["proxy"].getsockname()[1]
    make_bucket(port)
    print("PORT", port, flush=True)
    eventlet.tpool.execute(sys.stdin.read)


main()
