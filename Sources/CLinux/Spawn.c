#define _GNU_SOURCE
#include "CLinuxSpawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

// Bytes of the kernel's signal set (64 signals), which is smaller than the C library's.
#define KERNEL_SIGSET 8
enum { LAST_SIGNAL = 64, CHILD_STACK = 64 * 1024 };

// Shared with the child until it executes; `step` is 0 as long as nothing has failed.
struct child {
    const struct mooring_spawn *what;
    pid_t parent;
    volatile enum mooring_spawn_step step;
    volatile int error;
    volatile int limit;
};

// Ends the child with what failed. It shares the calling thread's errno, which nobody reads then.
#define TRY(at, call)                          \
    do {                                       \
        if ((call) < 0) {                      \
            child->error = errno;              \
            child->step = (at);                \
            syscall(SYS_exit_group, 127);      \
        }                                      \
    } while (0)

// Sources below 3 are moved up first, or the first dup3 could overwrite the next source.
__attribute__((no_sanitize("address", "thread"))) static long dup_above_standard(int fd) {
    return fd > 2 ? fd : syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
}

__attribute__((no_sanitize("address", "thread"))) static void set_limits(struct child *child) {
    const struct mooring_spawn *what = child->what;
    for (int i = 0; i < what->limit_count; i++) {
        // The kernel's rlimit64: soft and hard.
        uint64_t both[2] = {what->limits[i].value, what->limits[i].value};
        child->limit = i;
        TRY(MOORING_SPAWN_LIMITS,
            syscall(SYS_prlimit64, 0, what->limits[i].resource, both, NULL));
    }
}

// Real, effective and saved ids are all changed, so that no way leads back.
__attribute__((no_sanitize("address", "thread"))) static void switch_user(struct child *child) {
    const struct mooring_spawn *what = child->what;
    TRY(MOORING_SPAWN_GROUPS, syscall(SYS_setgroups, what->group_count, what->groups));
    TRY(MOORING_SPAWN_GROUPS, syscall(SYS_setresgid, what->group, what->group, what->group));
    // Root's capabilities go with its user id, ambient ones would stay over the exec.
    syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    TRY(MOORING_SPAWN_USER, syscall(SYS_setresuid, what->user, what->user, what->user));
    if (what->user != 0 && syscall(SYS_setresuid, -1, 0, -1) == 0) {
        child->error = EPERM;
        child->step = MOORING_SPAWN_REGAIN;
        syscall(SYS_exit_group, 127);
    }
}

__attribute__((no_sanitize("address", "thread"))) static int run_child(void *argument) {
    struct child *child = argument;
    const struct mooring_spawn *what = child->what;

    TRY(MOORING_SPAWN_SESSION, syscall(SYS_setsid));

    // All zero is SIG_DFL without flags in every architecture's layout of the kernel's sigaction.
    // SIGKILL and SIGSTOP refuse with EINVAL, which is fine. Handlers are this child's own copy.
    unsigned long by_default[8] = {0};
    for (int signal = 1; signal <= LAST_SIGNAL; signal++) {
        syscall(SYS_rt_sigaction, signal, by_default, NULL, KERNEL_SIGSET);
    }

    long input = dup_above_standard(what->input);
    TRY(MOORING_SPAWN_DESCRIPTORS, input);
    long output = dup_above_standard(what->output);
    TRY(MOORING_SPAWN_DESCRIPTORS, output);
    long error = dup_above_standard(what->error);
    TRY(MOORING_SPAWN_DESCRIPTORS, error);
    TRY(MOORING_SPAWN_DESCRIPTORS, syscall(SYS_dup3, input, 0, 0));
    TRY(MOORING_SPAWN_DESCRIPTORS, syscall(SYS_dup3, output, 1, 0));
    TRY(MOORING_SPAWN_DESCRIPTORS, syscall(SYS_dup3, error, 2, 0));
    // Close-on-exec alone would leave what a library opened without it.
    TRY(MOORING_SPAWN_DESCRIPTORS, syscall(SYS_close_range, 3U, ~0U, 0U));

    set_limits(child);
    if (what->switches_user) switch_user(child);
    // The parent may have ended meanwhile; then nobody waits for this child.
    if (syscall(SYS_getppid) != child->parent) syscall(SYS_exit_group, 127);
    if (what->no_new_privileges) {
        TRY(MOORING_SPAWN_NO_NEW_PRIVILEGES, syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    }
    syscall(SYS_umask, what->mask);
    // By the rights of the user that it runs as, as exec is.
    TRY(MOORING_SPAWN_DIRECTORY, syscall(SYS_chdir, what->directory));

    unsigned long none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, KERNEL_SIGSET);
    syscall(SYS_execve, what->path, what->arguments, what->environment);
    TRY(MOORING_SPAWN_EXEC, -1);
    return 127;
}

// clone(3) by the name that sanitizers do not wrap: their wrapper takes the child for one with a
// memory of its own, as after fork.
extern int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...);

// clone3(2), which the C library does not offer, and which alone can start a child inside a cgroup.
// To move it there afterwards takes a lock that the kernel grants after 10 to 30 ms.
static long clone_into(struct clone_args *how, int (*run)(void *), void *argument) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[argument], %%rdi\n\t"
                     "call *%[run]\n\t"
                     "mov %%eax, %%edi\n\t"
                     "mov %[exit], %%eax\n\t"
                     "syscall\n"
                     "1:"
                     : "=a"(result)
                     : "0"(SYS_clone3), "D"(how), "S"(sizeof *how), [run] "r"(run),
                       [argument] "r"(argument), [exit] "i"(SYS_exit_group)
                     : "rcx", "r11", "memory", "cc");
    return result;
#elif defined(__aarch64__)
    register long number __asm__("x8") = SYS_clone3;
    register long first __asm__("x0") = (long)how;
    register long second __asm__("x1") = sizeof *how;
    __asm__ volatile("svc #0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x0, %[argument]\n\t"
                     "blr %[run]\n\t"
                     "mov x8, %[exit]\n\t"
                     "svc #0\n"
                     "1:"
                     : "+r"(first)
                     : "r"(number), "r"(second), [run] "r"(run), [argument] "r"(argument),
                       [exit] "i"(SYS_exit_group)
                     : "memory", "cc");
    return first;
#else
    (void)how, (void)run, (void)argument;
    return -ENOSYS;
#endif
}

static const int CHILD_FLAGS = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;

// The child's pid or -errno.
static long start(struct child *child, char *stack, int *pidfd, bool *in_cgroup) {
    *in_cgroup = false;
    if (child->what->cgroup >= 0) {
        struct clone_args how = {
            .flags = (uint64_t)CHILD_FLAGS | CLONE_INTO_CGROUP,
            .pidfd = (uint64_t)(uintptr_t)pidfd,
            .exit_signal = SIGCHLD,
            .stack = (uint64_t)(uintptr_t)stack,
            .stack_size = CHILD_STACK,
            .cgroup = (uint64_t)child->what->cgroup,
        };
        long pid = clone_into(&how, run_child, child);
        *in_cgroup = pid > 0;
        if (pid > 0) return pid;
    }
    int pid = __clone(run_child, stack + CHILD_STACK, CHILD_FLAGS | SIGCHLD, child, pidfd);
    return pid < 0 ? -errno : pid;
}

struct mooring_spawned mooring_spawn(const struct mooring_spawn *what) {
    struct mooring_spawned result = {.pid = 0, .pidfd = -1};
    struct child child = {.what = what, .parent = getpid()};
    char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        result.step = MOORING_SPAWN_STACK;
        result.error = errno;
        return result;
    }

    // No handler of ours may run in the child, on memory that is not its own.
    unsigned long all = ~0UL, before = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET);
    int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    int pidfd = -1;
    long pid = start(&child, stack, &pidfd, &result.in_cgroup);
    // A child that changes its user turns this off for the memory that it shares with us.
    if (what->switches_user && dumpable == 1) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET);
    munmap(stack, CHILD_STACK);

    if (pid < 0) {
        result.step = MOORING_SPAWN_FORK;
        result.error = (int)-pid;
        return result;
    }
    if (child.step != 0) {
        // It has called exit, so this wait is short; nothing of it may be left behind.
        while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR) continue;
        close(pidfd);
        result.step = child.step;
        result.error = child.error;
        result.limit = child.limit;
        return result;
    }
    result.pid = (pid_t)pid;
    result.pidfd = pidfd;
    return result;
}

int mooring_limit_number(const char *name) {
    static const struct {
        const char *name;
        int number;
    } limits[] = {
        {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},
        {"cpu", RLIMIT_CPU},         {"data", RLIMIT_DATA},
        {"fsize", RLIMIT_FSIZE},     {"memlock", RLIMIT_MEMLOCK},
        {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
        {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},
        {"rss", RLIMIT_RSS},         {"rtprio", RLIMIT_RTPRIO},
        {"rttime", RLIMIT_RTTIME},   {"sigpending", RLIMIT_SIGPENDING},
        {"stack", RLIMIT_STACK},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (strcmp(limits[i].name, name) == 0) return limits[i].number;
    }
    return -1;
}

int mooring_wait_peek(int pidfd, struct mooring_exit *ended) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
        return -errno;
    }
    if (info.si_pid == 0) return 0;
    bool exited = info.si_code == CLD_EXITED;
    ended->status = exited ? info.si_status : 0;
    ended->signal = exited ? 0 : info.si_status;
    ended->core_dumped = info.si_code == CLD_DUMPED;
    return 1;
}

static int reap(idtype_t kind, id_t id) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(kind, id, &info, WEXITED | WNOHANG) < 0) return -errno;
    return info.si_pid == 0 ? 0 : 1;
}
int mooring_wait_reap(int pidfd) { return reap((idtype_t)P_PIDFD, (id_t)pidfd); }
int mooring_wait_reap_pid(pid_t pid) { return reap(P_PID, (id_t)pid); }

int mooring_signal_group(pid_t leader, int signal) {
    // 0, 1 and negative numbers would mean ourselves, everybody, or somebody else.
    if (leader <= 1) return -EINVAL;
    return kill(-leader, signal) < 0 ? -errno : 0;
}

void mooring_kill_and_reap(pid_t leader) {
    mooring_signal_group(leader, SIGKILL);
    while (waitpid(leader, NULL, 0) < 0 && errno == EINTR) continue;
}

int mooring_pidfd_open(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

int mooring_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

bool mooring_pidfd_ended(int pidfd) {
    struct pollfd entry = {.fd = pidfd, .events = POLLIN};
    return poll(&entry, 1, 0) > 0;
}

const char *mooring_signal_name(int signal) { return sigabbrev_np(signal); }

int mooring_set_subreaper(bool adopts) {
    return prctl(PR_SET_CHILD_SUBREAPER, adopts ? 1 : 0, 0, 0, 0) < 0 ? -errno : 0;
}

int mooring_block_signals(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void mooring_default_sigchld(void) { signal(SIGCHLD, SIG_DFL); }

int mooring_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        int failed = -errno;
        close(ends[0]);
        close(ends[1]);
        return failed;
    }
    return 0;
}

void mooring_pipe_size(int fd, int bytes) { fcntl(fd, F_SETPIPE_SZ, bytes); }
