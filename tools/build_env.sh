# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by ./start and ./check in the root of the project: settings that every build shares.

# The cache hits in any folder that holds the same sources.
export CCACHE_NOHASHDIR=1
export CCACHE_BASEDIR="$PWD"
# Without this nothing that uses a precompiled header is ever cached.
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

# configure PRESET: once; afterwards ninja itself notices what changed. Output only when it fails.
configure() {
    local preset=$1 log
    [[ -f "build/$preset/build.ninja" ]] && return 0
    mkdir -p "build/$preset"
    log="build/$preset/configure.log"
    if ! cmake --preset "$preset" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        printf 'Configuring failed; all of the output is in %s.\n' "$log" >&2
        return 1
    fi
}
