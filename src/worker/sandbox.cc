// SPDX-License-Identifier: Apache-2.0
#include "worker/sandbox.h"

#include "core/result.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

namespace colophon::worker {
namespace {

// What decoding and copying need. Everything else answers EPERM, so that a library which asks for
// a file, a socket or the time zone carries on without; starting programs and reaching into other
// processes ends the worker at once.
constexpr std::array kAllowed{
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(copy_file_range),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fstat),
    SCMP_SYS(close),
    SCMP_SYS(dup),
    SCMP_SYS(fcntl),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom),
    SCMP_SYS(memfd_create),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(eventfd2),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(membarrier),
    SCMP_SYS(set_tid_address),
};

constexpr std::array kDeadly{
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kill),
    SCMP_SYS(bpf),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(keyctl),
};

struct Release {
    void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

Error refused(const char* what, int failure) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("cannot lock the worker ({}: {})", what, std::strerror(failure))};
}

// libseccomp's macros for comparing arguments are C99 compound literals.
scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}
scmp_arg_cmp equal(unsigned argument, std::uint64_t value) {
    return {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

int allow_when(void* filter, int call, const scmp_arg_cmp& condition) {
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition);
}

// Rules that look at an argument.
int add_argument_rules(void* filter) {
    // Memory may be mapped and protected, but never made executable.
    int failure = allow_when(filter, SCMP_SYS(mmap), masked(2, PROT_EXEC, 0));
    failure |= allow_when(filter, SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0));
    // Threads, not processes. The flags of clone3 lie in memory where no filter sees them; without
    // it the C library falls back to clone.
    failure |= allow_when(filter, SCMP_SYS(clone), masked(0, CLONE_THREAD, CLONE_THREAD));
    failure |= seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, nullptr);
    // The name of a thread, which GLib sets.
    failure |= allow_when(filter, SCMP_SYS(prctl), equal(0, PR_SET_NAME));
    // How glibc asks for the size of an open file.
    failure |= allow_when(filter, SCMP_SYS(newfstatat), masked(3, AT_EMPTY_PATH, AT_EMPTY_PATH));
    // x265 spreads its threads over the machine's nodes and says aloud when it may not: it may not,
    // and is told that it did.
    failure |=
        seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(sched_setaffinity), 0, nullptr);
    failure |=
        seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(set_mempolicy), 0, nullptr);
    // Reading limits, not setting them.
    failure |= allow_when(filter, SCMP_SYS(prlimit64), equal(2, 0));
    return failure;
}

Result<void> load_filter() {
    const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
    if (!filter) {
        return refused("seccomp_init", ENOMEM);
    }
    int failure = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
    for (const int call : kAllowed) {
        failure |= seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 0, nullptr);
    }
    for (const int call : kDeadly) {
        failure |= seccomp_rule_add_array(filter.get(), SCMP_ACT_KILL_PROCESS, call, 0, nullptr);
    }
    failure |= add_argument_rules(filter.get());
    if (failure != 0) {
        return refused("seccomp rules", EINVAL);
    }
    const int loaded = seccomp_load(filter.get());
    return loaded == 0 ? Result<void>() : refused("seccomp", -loaded);
}

Result<void> set_limit(__rlimit_resource resource, std::uint64_t value, const char* name) {
    const rlimit limit{.rlim_cur = value, .rlim_max = value};
    return setrlimit(resource, &limit) == 0 ? Result<void>() : refused(name, errno);
}

}  // namespace

Result<void> lock_process(const SandboxLimits& limits) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return refused("no_new_privs", errno);
    }
    // No core files: they would hold what was being decoded.
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return refused("dumpable", errno);
    }
    TRY(set_limit(RLIMIT_CORE, 0, "core size"));
    TRY(set_limit(RLIMIT_DATA, limits.memory_bytes, "memory"));
    TRY(set_limit(RLIMIT_FSIZE, limits.file_bytes, "file size"));
    TRY(set_limit(RLIMIT_NOFILE, limits.descriptors, "descriptors"));
    return load_filter();
}

}  // namespace colophon::worker
