#define _GNU_SOURCE
#include "CLinuxSpawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

// Bytes of the kernel's signal set (64 signals), which is smaller than the C library's.
#define KERNEL_SIGSET 8
enum { LAST_SIGNAL = 64, CHILD_STACK = 64 * 1024, REPORT = 3 };

// The child's working data until it executes: its own copy of the launch, in memory that no other
// thread touches before `report` has ended. `failure.step` is 0 as long as nothing has failed.
struct mooring_launch {
    struct mooring_spawn what;
    pid_t parent;
    volatile struct mooring_spawn_failure failure;
    // The pipe that the child holds the other end of until then: here its reading end, there its
    // writing one.
    int report;
    int reporting;
    size_t size;
};

// The child runs beside the thread that started it and shares its thread-local storage, errno
// included. So it calls the kernel directly, and no function of the C library.
#define RAW __attribute__((no_sanitize("address", "thread")))

RAW static inline __attribute__((always_inline)) long call(
    long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
    long result;
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long which __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    register long fifth __asm__("x4") = e;
    __asm__ volatile("svc #0"
                     : "+r"(first)
                     : "r"(which), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
                     : "memory");
    return first;
#else
#error "say how this architecture calls the kernel"
#endif
}

// Unlike syscall(2) it returns -errno.
#define CALL(number, ...) CALL_5(number, __VA_ARGS__, 0, 0, 0, 0, 0)
#define CALL_5(number, a, b, c, d, e, ...) \
    call((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

// Ends the child with what failed.
#define TRY(at, result)                      \
    do {                                     \
        long got = (result);                 \
        if (got < 0) fail(launch, at, got);  \
    } while (0)

RAW static void fail(struct mooring_launch *launch, enum mooring_spawn_step step, long result) {
    launch->failure.error = (int)-result;
    launch->failure.step = step;
    CALL(SYS_exit_group, 127);
}

// Sources below 4 are moved up first, or the first dup3 could overwrite the next source.
RAW static long dup_above(int fd) {
    return fd > REPORT ? fd : CALL(SYS_fcntl, fd, F_DUPFD_CLOEXEC, REPORT + 1);
}

RAW static void set_descriptors(struct mooring_launch *launch) {
    const struct mooring_spawn *what = &launch->what;
    int sources[] = {what->input, what->output, what->error, launch->reporting};
    for (int i = 0; i <= REPORT; i++) {
        long moved = dup_above(sources[i]);
        TRY(MOORING_SPAWN_DESCRIPTORS, moved);
        sources[i] = (int)moved;
    }
    for (int i = 0; i <= REPORT; i++) {
        TRY(MOORING_SPAWN_DESCRIPTORS,
            CALL(SYS_dup3, sources[i], i, i == REPORT ? O_CLOEXEC : 0));
    }
    // Close-on-exec alone would leave what a library opened without it.
    TRY(MOORING_SPAWN_DESCRIPTORS, CALL(SYS_close_range, REPORT + 1, ~0U, 0));
}

static uint64_t kept_open_files;

void mooring_keep_open_files(uint64_t soft) { kept_open_files = soft; }

// A group's own limit, if it has one, comes after this.
RAW static void keep_open_files(void) {
    uint64_t both[2];
    if (kept_open_files == 0) return;
    if (CALL(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, both) != 0) return;
    if (both[0] <= kept_open_files) return;
    both[0] = kept_open_files;
    CALL(SYS_prlimit64, 0, RLIMIT_NOFILE, both, 0);
}

RAW static void set_limits(struct mooring_launch *launch) {
    const struct mooring_spawn *what = &launch->what;
    keep_open_files();
    for (int i = 0; i < what->limit_count; i++) {
        // The kernel's rlimit64: soft and hard.
        uint64_t both[2] = {what->limits[i].value, what->limits[i].value};
        launch->failure.which = i;
        TRY(MOORING_SPAWN_LIMITS, CALL(SYS_prlimit64, 0, what->limits[i].resource, both, NULL));
    }
}

// Real, effective and saved ids are all changed, so that no way leads back.
RAW static void switch_user(struct mooring_launch *launch) {
    const struct mooring_spawn *what = &launch->what;
    TRY(MOORING_SPAWN_GROUPS, CALL(SYS_setgroups, what->group_count, what->groups));
    TRY(MOORING_SPAWN_GROUPS, CALL(SYS_setresgid, what->group, what->group, what->group));
    // Root's capabilities go with its user id, ambient ones would stay over the exec.
    CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    TRY(MOORING_SPAWN_USER, CALL(SYS_setresuid, what->user, what->user, what->user));
    if (what->user != 0 && CALL(SYS_setresuid, -1, 0, -1) == 0) {
        fail(launch, MOORING_SPAWN_REGAIN, -EPERM);
    }
}

// Tries one path after the other, as execvp(3) does with those of a PATH: here and not in the program
// itself, since their file systems may not answer.
RAW static void execute(struct mooring_launch *launch) {
    const struct mooring_spawn *what = &launch->what;
    bool is_search = what->paths[0] && what->paths[1];
    int refused = -1, without_interpreter = -1;
    long result = -ENOENT;
    for (int i = 0; what->paths[i]; i++) {
        result = CALL(SYS_execve, what->paths[i], what->arguments, what->environment);
        launch->failure.which = i;
        if (result == -EACCES) {
            if (refused < 0) refused = i;
        } else if (result == -ENOENT) {
            bool is_there = CALL(SYS_faccessat, AT_FDCWD, what->paths[i], F_OK) == 0;
            if (is_there && without_interpreter < 0) without_interpreter = i;
        } else if (result != -ENOTDIR && result != -ESTALE && result != -ENODEV
                   && result != -ETIMEDOUT) {
            fail(launch, MOORING_SPAWN_EXEC, result);
        }
    }
    if (without_interpreter >= 0) {
        launch->failure.which = without_interpreter;
        fail(launch, MOORING_SPAWN_INTERPRETER, -ENOENT);
    }
    if (!is_search) fail(launch, MOORING_SPAWN_EXEC, result);
    launch->failure.which = -1;
    fail(launch, MOORING_SPAWN_EXEC, refused >= 0 ? -EACCES : -ENOENT);
}

RAW static int run_child(void *argument) {
    struct mooring_launch *launch = argument;
    const struct mooring_spawn *what = &launch->what;

    TRY(MOORING_SPAWN_SESSION, CALL(SYS_setsid, 0));

    // All zero is SIG_DFL without flags in every architecture's layout of the kernel's sigaction.
    // SIGKILL and SIGSTOP refuse with EINVAL, which is fine. Handlers are this child's own copy.
    unsigned long by_default[8] = {0};
    for (int signal = 1; signal <= LAST_SIGNAL; signal++) {
        CALL(SYS_rt_sigaction, signal, by_default, NULL, KERNEL_SIGSET);
    }
    set_descriptors(launch);
    set_limits(launch);
    // The parent may have exited meanwhile; then nothing waits for this child.
    if (CALL(SYS_getppid, 0) != launch->parent) CALL(SYS_exit_group, 127);
    // From here on its user can stop it, with the group's rights or its executable's, for as long as
    // that likes.
    if (what->switches_user) switch_user(launch);
    if (what->no_new_privileges) {
        TRY(MOORING_SPAWN_NO_NEW_PRIVILEGES, CALL(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    }
    CALL(SYS_umask, what->mask);
    // By the rights of the user that it runs as, as exec is.
    TRY(MOORING_SPAWN_DIRECTORY, CALL(SYS_chdir, what->directory));

    unsigned long none = 0;
    CALL(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, KERNEL_SIGSET);
    execute(launch);
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
#endif
}

static const int CHILD_FLAGS = CLONE_VM | CLONE_PIDFD;

// The child's pid or -errno.
static long start(struct mooring_launch *launch, char *stack, int *pidfd, bool *in_cgroup) {
    *in_cgroup = false;
    if (launch->what.cgroup >= 0) {
        struct clone_args how = {
            .flags = (uint64_t)CHILD_FLAGS | CLONE_INTO_CGROUP,
            .pidfd = (uint64_t)(uintptr_t)pidfd,
            .exit_signal = SIGCHLD,
            .stack = (uint64_t)(uintptr_t)stack,
            .stack_size = CHILD_STACK,
            .cgroup = (uint64_t)launch->what.cgroup,
        };
        long pid = clone_into(&how, run_child, launch);
        *in_cgroup = pid > 0;
        if (pid > 0) return pid;
    }
    int pid = __clone(run_child, stack + CHILD_STACK, CHILD_FLAGS | SIGCHLD, launch, pidfd);
    return pid < 0 ? -errno : pid;
}

// Where the copies for the child are put, one after the other; with `at` NULL they are counted only.
struct copier {
    char *at;
    size_t used;
};

static void *copy(struct copier *to, const void *from, size_t size) {
    char *place = to->at ? to->at + to->used : NULL;
    if (place && size > 0) memcpy(place, from, size);
    // Whatever comes next is aligned.
    to->used += (size + 15) & ~(size_t)15;
    return place;
}

static char *copy_string(struct copier *to, const char *from) {
    return copy(to, from, strlen(from) + 1);
}

static char *const *copy_strings(struct copier *to, char *const *from) {
    size_t count = 0;
    while (from[count]) count++;
    char **list = copy(to, from, (count + 1) * sizeof *from);
    for (size_t i = 0; i < count; i++) {
        char *string = copy_string(to, from[i]);
        if (list) list[i] = string;
    }
    return list;
}

// What the child is to run, copied.
static struct mooring_spawn copy_all(struct copier *to, const struct mooring_spawn *what) {
    struct mooring_spawn own = *what;
    own.paths = copy_strings(to, what->paths);
    own.directory = copy_string(to, what->directory);
    own.arguments = copy_strings(to, what->arguments);
    own.environment = copy_strings(to, what->environment);
    own.limits = copy(to, what->limits, (size_t)what->limit_count * sizeof *what->limits);
    own.groups = copy(to, what->groups, (size_t)what->group_count * sizeof *what->groups);
    return own;
}

// The stack is at the beginning, so that it would overflow into nothing.
static struct mooring_launch *prepare(const struct mooring_spawn *what) {
    struct copier count = {.at = NULL, .used = CHILD_STACK};
    copy(&count, NULL, sizeof(struct mooring_launch));
    copy_all(&count, what);
    char *memory = mmap(NULL, count.used, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    struct copier copier = {.at = memory, .used = CHILD_STACK};
    struct mooring_launch none = {.parent = getpid(), .size = count.used};
    struct mooring_launch *launch = copy(&copier, &none, sizeof none);
    launch->what = copy_all(&copier, what);
    return launch;
}

static char *stack_of(struct mooring_launch *launch) { return (char *)launch - CHILD_STACK; }

// Children that have changed their user and may still have this program's memory. The kernel has made
// that memory inaccessible for others then (PR_SET_DUMPABLE), and it must stay so until the last of
// them executes: else the group's user could read it, and write it, through the child.
static int strangers;
static bool was_dumpable;

static void stranger_begins(void) {
    if (strangers++ == 0) was_dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
}

static void stranger_ends(void) {
    if (--strangers == 0 && was_dumpable) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

struct mooring_spawned mooring_spawn(const struct mooring_spawn *what) {
    struct mooring_spawned result = {.pid = 0, .pidfd = -1};
    struct mooring_launch *launch = prepare(what);
    if (!launch) {
        result.failure = (struct mooring_spawn_failure){MOORING_SPAWN_MEMORY, errno, 0};
        return result;
    }
    int ends[2];
    int failed = mooring_pipe(ends);
    if (failed) {
        result.failure = (struct mooring_spawn_failure){MOORING_SPAWN_REPORT, -failed, 0};
        munmap(stack_of(launch), launch->size);
        return result;
    }
    launch->report = ends[0];
    launch->reporting = ends[1];

    // No handler of ours may run in the child, on memory that is not its own.
    unsigned long all = ~0UL, before = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET);
    if (what->switches_user) stranger_begins();
    int pidfd = -1;
    long pid = start(launch, stack_of(launch), &pidfd, &result.in_cgroup);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET);
    close(ends[1]);

    if (pid < 0) {
        result.failure = (struct mooring_spawn_failure){MOORING_SPAWN_FORK, (int)-pid, 0};
        mooring_launch_end(launch);
        return result;
    }
    result.pid = (pid_t)pid;
    result.pidfd = pidfd;
    result.launch = launch;
    return result;
}

int mooring_launch_report(const struct mooring_launch *launch) { return launch->report; }

bool mooring_launch_is_over(const struct mooring_launch *launch,
                            struct mooring_spawn_failure *failure) {
    // No byte is ever written to it: the kernel closes the child's end once the child has released
    // the memory, by exec or by exit.
    char byte;
    if (read(launch->report, &byte, 1) != 0) return false;
    *failure = (struct mooring_spawn_failure){
        launch->failure.step, launch->failure.error, launch->failure.which};
    return true;
}

void mooring_launch_end(struct mooring_launch *launch) {
    if (launch->what.switches_user) stranger_ends();
    close(launch->report);
    munmap(stack_of(launch), launch->size);
}
