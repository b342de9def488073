// Child processes: spawn, pidfd, wait, process groups. Results are a value or -errno.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

// A resource limit, soft and hard at once; `resource` as mooring_limit_number gives it, UINT64_MAX
// for no limit.
struct mooring_limit {
    int resource;
    uint64_t value;
};

// What a child is to run. All memory stays the caller's, and is used during the call only.
struct mooring_spawn {
    // Where the program may be, tried one after the other; a relative path is looked up in `directory`.
    char *const *paths;
    char *const *arguments;
    char *const *environment;
    const char *directory;
    // Become the child's descriptors 0, 1 and 2; every other one is closed in it.
    int input;
    int output;
    int error;
    mode_t mask;
    bool no_new_privileges;
    // Applied before the user is changed, so that root's right to raise them still holds.
    const struct mooring_limit *limits;
    int limit_count;
    // Whether the child runs as the user, group and supplementary groups that follow.
    bool switches_user;
    uid_t user;
    gid_t group;
    const gid_t *groups;
    int group_count;
    // Directory of a cgroup (version 2) that the child begins in; -1: the caller's.
    int cgroup;
};

// Where a spawn failed.
enum mooring_spawn_step {
    MOORING_SPAWN_MEMORY = 1,
    MOORING_SPAWN_REPORT,
    MOORING_SPAWN_FORK,
    MOORING_SPAWN_SESSION,
    MOORING_SPAWN_NO_NEW_PRIVILEGES,
    MOORING_SPAWN_DIRECTORY,
    MOORING_SPAWN_DESCRIPTORS,
    MOORING_SPAWN_EXEC,
    // The file is there, but not the interpreter or loader that it names.
    MOORING_SPAWN_INTERPRETER,
    MOORING_SPAWN_LIMITS,
    MOORING_SPAWN_GROUPS,
    MOORING_SPAWN_USER,
    // The user was changed, but could be changed back to root.
    MOORING_SPAWN_REGAIN,
};

// The step that failed and its errno; step 0: none has.
struct mooring_spawn_failure {
    enum mooring_spawn_step step;
    int error;
    // Which of the limits was refused, or of the paths; -1: none of several paths can be executed.
    int which;
};

// A child on its way to its program.
struct mooring_launch;

// A child, or (pid 0) why there is none.
struct mooring_spawned {
    pid_t pid;
    int pidfd;
    // To be ended by mooring_launch_end.
    struct mooring_launch *launch;
    struct mooring_spawn_failure failure;
    // Whether it began in the cgroup that was asked for; a kernel or a sandbox that refuses that is
    // no reason not to start it.
    bool in_cgroup;
};

// The soft limit of open files that children begin with, where Mooring's own is higher; called once,
// before the first child.
void mooring_keep_open_files(uint64_t soft);

// The number of a resource by its name in lower case (`nofile`), as in setrlimit(2); -1: no such.
int mooring_limit_number(const char *name);

// Starts a child as the leader of its own session and process group, with no signal blocked and
// every disposition at its default. It returns at once: the child goes on to its program beside the
// caller, since from setresuid on its user can keep it from that. Until it executes it has the
// caller's memory (CLONE_VM), so no page table is copied and no page of the running threads becomes
// copy-on-write. Between clone and exec there are raw system calls only, so that no lock, buffer or
// errno of the C library is touched; they change the credentials of the child alone, not those of
// every thread as the library's would. One thread of the program calls this and what follows.
struct mooring_spawned mooring_spawn(const struct mooring_spawn *what);
// A descriptor that becomes readable when mooring_launch_is_over should be called.
int mooring_launch_report(const struct mooring_launch *launch);
// Whether the child has executed its program or exited; `failure` is the reason if it could not.
bool mooring_launch_is_over(const struct mooring_launch *launch,
                            struct mooring_spawn_failure *failure);
// Frees what the child needed, once mooring_launch_is_over.
void mooring_launch_end(struct mooring_launch *launch);

// How a child ended: a status (`signal` 0) or a signal.
struct mooring_exit {
    int status;
    int signal;
    bool core_dumped;
};

// Whether the child has ended, which stays a zombie, so that its pid (and process group) cannot be
// given to another yet: 1 ended, 0 running, -errno.
int mooring_wait_peek(int pidfd, struct mooring_exit *ended);
// Collects the child if it has ended: 1 collected, 0 running, -errno.
int mooring_wait_reap(int pidfd);
// The same by pid, for descendants that were left to us.
int mooring_wait_reap_pid(pid_t pid);

// Signals every process of the group; -ESRCH when none is left. Safe as long as the leader has not
// been reaped.
int mooring_signal_group(pid_t leader, int signal);
int mooring_pidfd_open(pid_t pid);
int mooring_pidfd_signal(int pidfd, int signal);
// Whether the process has ended; it need not be our child.
bool mooring_pidfd_ended(int pidfd);
// "KILL" for 9; NULL for unknown numbers.
const char *mooring_signal_name(int signal);

// Whether descendants whose parents have ended become children of this process instead of init's.
int mooring_set_subreaper(bool adopts);
// Blocks the signals in the calling thread and in those that it starts later.
int mooring_block_signals(const int *signals, int count);
// Undoes an ignored SIGCHLD that was inherited: the kernel would reap our children for us.
void mooring_default_sigchld(void);

// Close-on-exec pipe whose reading end does not block; [0] is read, [1] written.
int mooring_pipe(int ends[2]);
// How much a pipe or FIFO holds before a writer waits; less is kept where the user may not have more.
void mooring_pipe_size(int fd, int bytes);
