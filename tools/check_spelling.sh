#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Spelling of sources and documents; words that are right but unknown stand in tools/words.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t pages < <(find . -maxdepth 1 -name '*.md' | sort)
codespell --ignore-words tools/words.txt --skip '*/corpus/*,*/golden/*,*/package-lock.json' \
    src tests tools fuzz bench docs cmake start check "${pages[@]}"
