#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill.sh [ROUNDS]: the tests that kill writers, servers and whole nodes, with 200 kills each instead
# of the few that ./check has time for. Each kill is followed by recovery and a full check.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export COLOPHON_KILLS="${1:-200}"
build/dev/tests/storage_test --test-suite=slow --test-case='*killed*' -d
build/dev/tests/ledger_test --test-suite=slow --test-case='a node that is killed*' -d
