#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill.sh [ROUNDS]: the tests that kill writers and servers, with 200 kills each instead of the few
# that ./check has time for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
COLOPHON_KILLS="${1:-200}" build/dev/tests/storage_test --test-suite=slow -d
